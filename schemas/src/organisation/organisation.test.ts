import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact, FactDraft, FactType } from '../facts/fact.ts';
import { Fact as FactSchema } from '../facts/fact.ts';
import { type LoggedFact, sealAppend } from '../facts/log-entry.ts';
import type { GrantId, PrincipalId, RoleName, Sequence, SubjectId } from '../ids.ts';
import { relationshipKey, relationshipText } from '../relationship.ts';
import { draftOf, history, nthId, people } from './histories.ts';
import { Organisation } from './organisation.ts';

const choices = fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { maxLength: 120, size: 'max' });
const runs = { numRuns: 150 };

const apply = (organisation: Organisation, entry: LoggedFact) => {
  assert.ok(entry.fact);
  return organisation.apply({ ...entry, fact: entry.fact });
};
const graphOf = (organisation: Organisation): string[] =>
  Array.from(organisation.relationships(), relationshipText).sort();

/** The updates one after the other, as an engine would take them. */
class Graph {
  readonly #held = new Map<string, string>();
  take(updates: ReturnType<Organisation['apply']>): void {
    for (const { operation, relationship } of updates)
      if (operation === 'touch') this.#held.set(relationshipKey(relationship), relationshipText(relationship));
      else this.#held.delete(relationshipKey(relationship));
  }
  texts(): string[] {
    return [...this.#held.values()].sort();
  }
}

/** The first draft takes place 1. */
const told = (...drafts: FactDraft[]): Organisation => {
  const organisation = new Organisation();
  for (const entry of sealAppend(0 as Sequence, drafts)) apply(organisation, entry);
  return organisation;
};
const role = 'reader' as RoleName;
const ann = 'user:ann' as PrincipalId;
const defined = draftOf(1, 'postern.role.defined.v1', {
  role,
  rules: { allows: [{ service: 'payroll', access: 'read' }] },
} as Extract<FactDraft, { type: 'postern.role.defined.v1' }>['data']);
const issued = (n: number, conditions?: { countries: string[] }): FactDraft =>
  draftOf(n, 'postern.grant.issued.v1', {
    grant: nthId(n) as GrantId,
    subject: ann,
    role,
    ...(conditions && { conditions }),
    origin: 'direct',
    reason: 'a test',
  });
const revoked = (n: number, grant: number): FactDraft =>
  draftOf(n, 'postern.grant.revoked.v1', { grant: nthId(grant) as GrantId, subject: ann, role, reason: 'a test' });
const holding = (organisation: Organisation) => graphOf(organisation).filter((text) => text.startsWith('role:'));

test('the updates of each fact lead the graph to what the facts mean as a whole, at every step', () => {
  fc.assert(
    fc.property(choices, (each) => {
      const [organisation, graph] = [new Organisation(), new Graph()];
      for (const entry of history(each)) {
        graph.take(apply(organisation, entry));
        assert.deepEqual(graph.texts(), graphOf(organisation), `${entry.envelope.type} at ${entry.sequence}`);
      }
    }),
    runs,
  );
});

test('histories hold every kind of fact, and each can be read back', () => {
  const seen = new Set<FactType>();
  for (const each of fc.sample(choices, { numRuns: 60, seed: 7 }))
    for (const { fact } of history(each, 'definition user {}')) {
      assert.ok(FactSchema.safeParse(fact).success, JSON.stringify(fact));
      seen.add((fact as Fact).type);
    }
  assert.deepEqual([...seen].sort(), FactSchema.options.map(({ shape }) => shape.type.value).sort());
});

test("a group's closure is whoever a walk through its members finds", () => {
  fc.assert(
    fc.property(choices, (each) => {
      const organisation = new Organisation();
      for (const entry of history(each)) {
        apply(organisation, entry);
        const { groups } = organisation;
        for (const group of groups.names()) {
          const found = new Set<string>();
          const visit = (name: typeof group): void => {
            for (const member of groups.direct(name))
              if (member.startsWith('group:')) visit(member as typeof group);
              else found.add(member);
          };
          visit(group);
          assert.deepEqual([...groups.inside(group)].sort(), [...found].sort(), group);
        }
      }
    }),
    runs,
  );
});

test('a leaver holds nothing: no role, no group, no credential', () => {
  fc.assert(
    fc.property(choices, fc.constantFrom(...people), (each, leaver) => {
      const [organisation, graph] = [new Organisation(), new Graph()];
      const before = history(each);
      for (const entry of before) graph.take(apply(organisation, entry));
      const draft = draftOf(9_999, 'postern.principal.left.v1', { principal: leaver });
      for (const entry of sealAppend(organisation.sequence, [draft])) graph.take(apply(organisation, entry));
      for (const texts of [graph.texts(), graphOf(organisation)])
        assert.deepEqual(
          texts.filter((text) => text.includes(`@${leaver}`)),
          [],
        );
      assert.deepEqual(organisation.credentialsOf(leaver), []);
      assert.deepEqual(organisation.grantsOf(leaver), []);
    }),
    runs,
  );
});

test('the order in which the same grants are issued makes no difference to the graph', () => {
  const conditions = [{ countries: ['DE'] }, { countries: ['FR'] }, { countries: ['DE', 'FR'] }, { countries: ['DE'] }];
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
      const inOrder = told(defined, ...conditions.map((each, n) => issued(n + 2, each)));
      const shuffled = told(defined, ...order.map((n) => issued(n + 2, conditions[n])));
      assert.deepEqual(graphOf(shuffled), graphOf(inOrder));
    }),
  );
});

test('grants of one role are alternatives; an unconditional one wins, and its revocation narrows again', () => {
  const [de, fr] = [{ countries: ['DE'] }, { countries: ['FR'] }];
  const both = 'role:reader#holder@user:ann[holds:{"any_of":[{"countries":["DE"]},{"countries":["FR"]}]}]';
  assert.deepEqual(holding(told(defined, issued(2, fr), issued(3, de))), [both]);
  assert.deepEqual(holding(told(defined, issued(2, fr), issued(3, de), issued(4))), ['role:reader#holder@user:ann']);
  assert.deepEqual(holding(told(defined, issued(2, fr), issued(3, de), issued(4), revoked(5, 4))), [both]);
  assert.deepEqual(holding(told(defined, issued(2), revoked(3, 2))), []);
});

test('a revocation that names another grant takes nothing away', () => {
  assert.deepEqual(holding(told(defined, issued(2), revoked(3, 77))), ['role:reader#holder@user:ann']);
});

test('an empty set of conditions is no condition', () => {
  const empty = draftOf(2, 'postern.grant.issued.v1', {
    grant: nthId(2) as GrantId,
    subject: ann as SubjectId,
    role,
    conditions: {},
    origin: 'direct',
    reason: 'a test',
  });
  assert.deepEqual(holding(told(defined, empty)), ['role:reader#holder@user:ann']);
});
