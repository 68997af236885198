/** Memberships and relations by when they hold: told in any order, with people who come and go meanwhile, they end the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupId, type Organisation, PrincipalId } from '@postern/schemas';
import fc from 'fast-check';
import { hrRoom, type TimedEvent } from './hr-room.ts';

const day = (n: number): string => new Date(Date.UTC(2026, 0, n + 1)).toISOString();
const people = ['user:ann', 'user:bob'];
/** The second may be inside the first, never the other way round: which of two that would close a circle stands is a matter of arrival. */
const groups = ['group:outer', 'group:inner'];
const relation = { object: 'doc:1', relation: 'viewer' };
const schema = `definition user {}
definition group { relation member: user }
definition doc { relation viewer: user | group#member }`;

type Move =
  | { readonly kind: 'joined' | 'left'; readonly who: string }
  | {
      readonly kind: 'changed';
      readonly group: string;
      readonly add: readonly string[];
      readonly remove: readonly string[];
    }
  | { readonly kind: 'deleted'; readonly group: string }
  | { readonly kind: 'related' | 'unrelated'; readonly subject: string };
type Timed = { readonly move: Move; readonly day: number; readonly said: number };

const membersOf = (group: string): readonly string[] => (group === groups[0] ? [...people, 'group:inner'] : people);
const change = fc.constantFrom(...groups).chain((group) =>
  fc.record({
    kind: fc.constant('changed' as const),
    group: fc.constant(group),
    add: fc.subarray([...membersOf(group)]),
    remove: fc.subarray([...membersOf(group)]),
  }),
);
const person = fc.record({
  kind: fc.constantFrom('joined' as const, 'joined' as const, 'left' as const),
  who: fc.constantFrom(...people),
});
const related = fc.record({
  kind: fc.constantFrom('related' as const, 'related' as const, 'unrelated' as const),
  subject: fc.constantFrom(...people, 'group:inner#member'),
});
const deleted = fc.record({ kind: fc.constant('deleted' as const), group: fc.constantFrom(...groups) });
const histories = fc.uniqueArray(
  fc.record({
    move: fc.oneof(
      { weight: 4, arbitrary: change },
      { weight: 4, arbitrary: person },
      { weight: 3, arbitrary: related },
      deleted,
    ) as fc.Arbitrary<Move>,
    day: fc.integer({ min: 1, max: 6 }),
    said: fc.integer({ min: 0, max: 1_000 }),
  }),
  { maxLength: 16, selector: ({ day: effective, said }) => `${effective}/${said}` },
);

const eventOf = ({ move, day: effective, said }: Timed, index: number): TimedEvent => {
  const event = (type: string, subject: string, data: Record<string, unknown>) => ({
    id: `e${index}`,
    type,
    subject,
    data,
    effective: day(effective),
    said: new Date(Date.UTC(2025, 0, 1) + said * 1_000).toISOString(),
  });
  switch (move.kind) {
    case 'joined':
    case 'left':
      return event(`postern.person.${move.kind}.v1`, move.who, {});
    case 'changed':
      return event('postern.group.changed.v1', move.group, { add: [...move.add], remove: [...move.remove] });
    case 'deleted':
      return event('postern.group.deleted.v1', move.group, {});
    default:
      return event(`postern.object.${move.kind}.v1`, relation.object, {
        relation: relation.relation,
        subject: move.subject,
      });
  }
};

/** What the history means, told in order: a membership is wished for, holds while everybody in it is here, and ends with either. */
const told = (history: readonly Timed[]) => {
  const here = new Set<string>();
  const wished = new Set<string>();
  const related = new Set<string>();
  const forget = (member: string): void => {
    for (const each of [...wished]) if (each.endsWith(` ${member}`)) wished.delete(each);
    related.delete(member);
    related.delete(`${member}#member`);
  };
  for (const { move } of [...history].sort((a, b) => a.day - b.day || a.said - b.said))
    switch (move.kind) {
      case 'joined':
        here.add(move.who);
        break;
      case 'left':
        here.delete(move.who);
        forget(move.who);
        break;
      case 'changed':
        here.add(move.group);
        for (const member of move.remove) wished.delete(`${move.group} ${member}`);
        for (const member of move.add) wished.add(`${move.group} ${member}`);
        break;
      case 'deleted':
        here.delete(move.group);
        for (const each of [...wished]) if (each.startsWith(`${move.group} `)) wished.delete(each);
        forget(move.group);
        break;
      case 'related':
        related.add(move.subject);
        break;
      default:
        related.delete(move.subject);
    }
  const isHere = (member: string) => here.has(member.replace('#member', ''));
  return {
    groups: groups.filter(isHere),
    members: [...wished].filter((each) => each.split(' ').every(isHere)).sort(),
    related: [...related].filter(isHere).sort(),
  };
};
const standing = (organisation: Organisation) => ({
  groups: groups.filter((group) => organisation.groups.has(GroupId.parse(group))),
  members: groups
    .flatMap((group) => [...organisation.groups.direct(GroupId.parse(group))].map((member) => `${group} ${member}`))
    .sort(),
  related: [...organisation.objects.all()].map(({ subject }) => subject).sort(),
});

const room = () => {
  const started = hrRoom({ now: day(100) });
  started.run({ kind: 'publish-schema', text: schema });
  return started;
};
const seed = Number(process.env['POSTERN_SEED'] ?? Date.now() % 2 ** 31);

test(`random memberships and relations, of people who come and go, end in the state of the history in order, however they arrive (POSTERN_SEED=${seed})`, () => {
  let changes = 0;
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.nat()), (history, random) => {
      const numbers = random[Symbol.iterator]();
      const drawn = (limit: number): number => Number(numbers.next().value) % limit;
      const events = history.map(eventOf);
      const again = events.filter(() => drawn(3) === 0).map((event) => ({ ...event, id: `${event.id}-again` }));
      const arrivals = [...events, ...again];
      for (let at = arrivals.length - 1; at > 0; at--) {
        const other = drawn(at + 1);
        [arrivals[at], arrivals[other]] = [arrivals[other] as TimedEvent, arrivals[at] as TimedEvent];
      }
      const shuffled = room();
      for (const event of arrivals) shuffled.takeAny(event);
      const expected = told(history);
      assert.deepEqual(standing(shuffled.organisation), expected);
      assert.deepEqual(standing(shuffled.replayed()), expected);
      changes += expected.members.length + expected.related.length;
    }),
    { seed, numRuns: 1_500 },
  );
  assert.ok(changes > 500, `a property that sees ${changes} memberships shows nothing`);
});

const take = (room: ReturnType<typeof hrRoom>, ...all: readonly (readonly [number, Move])[]): void => {
  for (const [index, [at, move]] of all.entries()) room.takeAny(eventOf({ move, day: at, said: 0 }, index));
};
const added = (member: string): Move => ({ kind: 'changed', group: 'group:inner', add: [member], remove: [] });
const removed = (member: string): Move => ({ kind: 'changed', group: 'group:inner', add: [], remove: [member] });
const inInner = ({ organisation }: ReturnType<typeof hrRoom>) => [
  ...organisation.groups.direct(GroupId.parse('group:inner')),
];

test('a removal that comes late takes nobody out who was added after it, and one that came early is not undone', () => {
  const late = room();
  take(late, [1, { kind: 'joined', who: 'user:ann' }], [5, added('user:ann')], [3, removed('user:ann')]);
  assert.deepEqual(inInner(late), ['user:ann']);
  const early = room();
  take(early, [1, { kind: 'joined', who: 'user:ann' }], [5, removed('user:ann')], [3, added('user:ann')]);
  assert.deepEqual(inInner(early), []);
});

test('of two that are said at one time for one time, the one that takes away stands, whichever came first', () => {
  for (const order of [
    [added('user:ann'), removed('user:ann')],
    [removed('user:ann'), added('user:ann')],
  ]) {
    const told = room();
    take(told, [1, { kind: 'joined', who: 'user:ann' }], ...order.map((move) => [3, move] as const));
    assert.deepEqual(inInner(told), []);
  }
});

test('a leaving that is told late takes what was given before it, and leaves what was given to them when they were back', () => {
  const told = room();
  take(
    told,
    [1, { kind: 'joined', who: 'user:ann' }],
    [2, added('user:ann')],
    [4, { kind: 'joined', who: 'user:ann' }],
    [5, { kind: 'related', subject: 'user:ann' }],
    [3, { kind: 'left', who: 'user:ann' }],
  );
  assert.equal(told.organisation.principals.get(PrincipalId.parse('user:ann'))?.state, 'active');
  assert.deepEqual(inInner(told), []);
  assert.deepEqual(standing(told.organisation).related, ['user:ann']);
});

test('who comes back gets nothing back that was given here and not by a source for then', () => {
  const told = room();
  take(told, [1, { kind: 'joined', who: 'user:ann' }]);
  told.run({
    kind: 'shape-group',
    group: GroupId.parse('group:inner'),
    exact: false,
    add: [PrincipalId.parse('user:ann')],
    remove: [],
  });
  told.takeAny(eventOf({ move: { kind: 'left', who: 'user:ann' }, day: 3, said: 0 }, 7));
  told.takeAny(eventOf({ move: { kind: 'joined', who: 'user:ann' }, day: 4, said: 0 }, 8));
  assert.deepEqual(inInner(told), []);
});
