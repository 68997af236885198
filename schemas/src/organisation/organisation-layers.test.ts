import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../facts/fact.ts';
import type { LoggedFact } from '../facts/log-entry.ts';
import { relationshipsText } from './held.ts';
import { history, people, teams } from './histories.ts';
import { Organisation } from './organisation.ts';

type Entry = LoggedFact & { readonly fact: Fact };
const choices = fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { maxLength: 80, size: 'max' });
const shown = (organisation: Organisation) => ({
  graph: relationshipsText(organisation.relationships()),
  principals: [...organisation.principals.values()],
  grants: people.map((person) => organisation.grantsOf(person as never)),
  keys: people.map((person) => organisation.credentialsOf(person)),
  memberships: teams.map((team) => people.map((person) => organisation.groups.claimOf(team, person))),
  claims: people.map((person) => organisation.claims.of(person, organisation.principals.get(person))),
  inbox: [[...organisation.inbox.scheduled], [...organisation.inbox.quarantined]],
  requests: organisation.life.requests.all(),
  uses: organisation.life.breakGlass.all(),
  reviews: organisation.life.reviews.all().map((review) => ({ ...review, items: [...review.items] })),
  withheld: [...organisation.life.allWithheld()],
});

test('an organisation that goes on from another is what the facts would make of it, and leaves that one as it was', () => {
  fc.assert(
    fc.property(choices, fc.nat(100), fc.nat(100), (each, one, other) => {
      const entries = history(each, 'definition user {}') as Entry[];
      const [first = 0, second = 0] = [one, other].map((n) => n % (entries.length + 1)).sort((a, b) => a - b);
      const plain = new Organisation();
      const under = new Organisation();
      for (const entry of entries.slice(0, first)) for (const each of [plain, under]) each.apply(entry);
      const before = shown(under);
      let over = new Organisation(under);
      for (const [at, entry] of entries.slice(first).entries()) {
        if (at === second - first) over = new Organisation(over);
        assert.deepEqual(over.apply(entry), plain.apply(entry), entry.fact.type);
      }
      assert.deepEqual(shown(over), shown(plain));
      assert.equal(over.sequence, plain.sequence);
      assert.deepEqual(shown(under), before);
    }),
    { numRuns: 300 },
  );
});
