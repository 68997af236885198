/** The log of a model run: every state of it, when each fact became durable, and the rule that makes the next fact of a number. */
import assert from 'node:assert/strict';
import {
  type Fact,
  type FactDraft,
  gateSchema,
  type LoggedFact,
  leafTypes,
  Organisation,
  readSchemaText,
  type Sequence,
  sealAppend,
} from '@postern/schemas';
import { granted, joined, keyed, left, related, role, routes, say, schema } from '../facts.ts';

const people = ['user:ann', 'user:bob'];
const services = (access: string) =>
  routes(
    'api',
    '/api',
    { id: 'api/read', method: 'GET', template: '/r', access },
    { id: 'api/write', method: 'PUT', template: '/w', access: 'write' },
  );

/** What invalidation needs of gate.zed, in a tenth of the text: which types nothing goes through. */
const shortSchema = `definition user {
}
definition workload {
}
definition group {
  relation member: user | workload
}
definition role {
  relation holder: user | workload | group#member
}
definition employee {
  relation self_service: user
  relation manager: user | group#member
  relation reader: role
  permission view = self_service + manager + reader->holder
}
`;
const leavesOf = (text: string): string[] => {
  const read = readSchemaText(text);
  return read === undefined ? [] : [...leafTypes(read)].filter((type) => type === 'user' || type === 'workload').sort();
};
assert.deepEqual(leavesOf(shortSchema), leavesOf(gateSchema), 'the short schema has the leaves of the real one');

const edges = people.map((subject) => related('employee:1', 'manager', subject));
const firstGrants = people.map((subject) => granted(subject, 'writer'));
/** The same in every run, so it is sealed once. */
const base: readonly LoggedFact[] = [
  services('read'),
  role('reader', { service: 'api', access: 'read' }),
  role('writer', { service: 'api', access: 'write' }),
  schema(shortSchema),
  role('single', { endpoint: 'api/write' }),
  role('opener', { object: 'employee:*', permission: 'view' }),
  ...people.map(joined),
  keyed('credential:k1', 'user:ann', 'psk_1'),
  granted('credential:k1', 'writer').issued,
  ...edges.map((edge) => edge.related),
  ...firstGrants.map((grant) => grant.issued),
].flatMap((draft, index) => sealAppend(index as Sequence, [draft]));

export const applyTo = (organisation: Organisation, entry: LoggedFact | undefined): void => {
  if (entry?.fact !== undefined) organisation.apply({ ...entry, fact: entry.fact as Fact });
};

export type History = {
  readonly entries: readonly LoggedFact[];
  /** One more fact, chosen by the number, durable at `at` (monotonic ms). */
  readonly another: (which: number, at: number) => void;
  /** What the log held at that instant. */
  readonly headAt: (at: number) => number;
  /** Is there a state from `from` on that satisfies? */
  readonly someState: (from: number, satisfies: (state: Organisation) => boolean) => boolean;
};

export const history = (): History => {
  const entries: LoggedFact[] = [...base];
  const durableAt: number[] = base.map(() => Number.NEGATIVE_INFINITY);
  const open: FactDraft[] = firstGrants.map(({ revoked }) => revoked);
  const standing: FactDraft[] = edges.map(({ unrelated }) => unrelated);

  const next = (which: number): FactDraft | undefined => {
    const subject = ['user:ann', 'user:bob', 'credential:k1', 'group:team#member'][which % 4] ?? 'user:ann';
    const name = ['reader', 'writer', 'single', 'opener'][(which >> 2) % 4] ?? 'reader';
    switch (which % 13) {
      case 0:
      case 1:
      case 2: {
        const at = new Date(Date.UTC(2026, 10, 24, 9, 0, which % 50)).toISOString();
        const grant = granted(subject, name, which % 3 === 0 ? { until: at } : undefined);
        open.push(grant.revoked);
        return grant.issued;
      }
      case 3:
      case 4:
      case 5:
        return open.splice((which >> 4) % Math.max(open.length, 1), 1)[0];
      case 6:
        return say('postern.group.changed.v1', {
          group: 'group:team',
          add: which % 2 ? ['user:ann'] : ['user:bob'],
          remove: which % 3 ? ['user:ann'] : [],
        });
      case 7:
        return role(name, { service: 'api', access: which % 2 ? 'write' : 'read' });
      case 8:
        return which % 5 ? joined('user:bob') : left('user:bob');
      case 9:
        return services(which % 2 ? 'read' : 'admin');
      case 12:
        return standing.splice((which >> 3) % Math.max(standing.length, 1), 1)[0];
      default: {
        const relation = which % 13 === 10 ? 'self_service' : 'manager';
        const whom = relation === 'manager' ? (which % 3 ? 'group:team#member' : subject) : people[which % 2];
        const edge = related(`employee:${1 + (which % 2)}`, relation, whom ?? 'user:ann');
        standing.push(edge.unrelated);
        return edge.related;
      }
    }
  };

  return {
    entries,
    another: (which, at) => {
      const draft = next(which);
      if (draft === undefined) return;
      entries.push(...sealAppend(entries.length as Sequence, [draft]));
      durableAt.push(at);
    },
    headAt: (at) => {
      let head = entries.length;
      while ((durableAt[head - 1] ?? Number.NEGATIVE_INFINITY) > at) head--;
      return head;
    },
    someState: (from, satisfies) => {
      const state = new Organisation();
      for (const entry of entries) {
        applyTo(state, entry);
        if (state.sequence >= from && satisfies(state)) return true;
      }
      return false;
    },
  };
};
