/** Names from outside, as they become subjects, object ids and keys: two that differ never become one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeId, encodeId, ObjectId, PrincipalId, SubjectId, splitSubject } from '@postern/schemas';
import fc from 'fast-check';
import { decisionCache } from '../decide/cache.ts';
import { type Caller, toCaller } from './identity.ts';

/** Text rich in what divides, matches everything, or has a second form. */
const outside = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...':#@*/=|+-_ .%\\?&;,~'.split(''),
        '=3A',
        'member',
        'user',
        'a',
        'A',
        'ſ',
        's',
        'K',
        'K',
        'é',
        'e\u0301',
        'ﬁ',
        'fi',
        '\u200b',
        '\u00ad',
        'İ',
        'i',
        '\0',
        '\n',
        '\ufeff',
        '😀',
        '\ud83d',
      ),
      fc.string({ unit: 'grapheme', maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const encoded = (raw: string): string | undefined => {
  try {
    return encodeId(raw);
  } catch (error) {
    assert.ok(error instanceof RangeError);
    return undefined;
  }
};

test('an outside name has one id or none, and that id is no other name’s, in whatever letters or form', () => {
  fc.assert(
    fc.property(outside, outside, (one, other) => {
      const [left, right] = [encoded(one), encoded(other)];
      if (left === undefined || right === undefined) return;
      assert.equal(left === right, one === other);
      assert.equal(decodeId(left), one);
      assert.match(left, /^[A-Za-z0-9/_|+=-]+$/);
      if (one.toLowerCase() === other.toLowerCase() && one !== other) assert.notEqual(left, right);
      if (one.normalize('NFKC') === other.normalize('NFKC') && one !== other) assert.notEqual(left, right);
    }),
    { numRuns: 3_000 },
  );
});

test('a name is nobody’s wildcard, relation, type or part of a caller', () => {
  fc.assert(
    fc.property(outside, (raw) => {
      const id = encoded(raw);
      if (id === undefined) return;
      const subject = PrincipalId.parse(`user:${id}`);
      assert.deepEqual(splitSubject(subject), { type: 'user', id });
      assert.equal(SubjectId.parse(subject), subject);
      assert.ok(ObjectId.safeParse(`employee:${id}`).success);
    }),
    { numRuns: 2_000 },
  );
  for (const bad of [
    'user:*',
    'user:a#member',
    'user:a:b',
    'user:a@b',
    'user:',
    'User:a',
    'user:a b',
    'user:a\nuser:b',
    'group:a',
    'user:é',
  ])
    assert.equal(PrincipalId.safeParse(bad).success, false, bad);
});

const callers = fc
  .record({
    principal: fc.tuple(fc.constantFrom('user', 'workload'), outside),
    credential: fc.option(outside, { nil: undefined }),
    actors: fc.array(fc.tuple(fc.constantFrom('user', 'workload'), outside), { maxLength: 3 }),
  })
  .map(({ principal, credential, actors }): Caller | undefined => {
    const named = ([type, raw]: readonly [string, string]): string | undefined => {
      const id = encoded(raw);
      return id === undefined ? undefined : `${type}:${id}`;
    };
    const all = [named(principal), ...actors.map(named)];
    const key = credential === undefined ? undefined : encoded(credential);
    if (all.includes(undefined) || (credential !== undefined && key === undefined)) return undefined;
    const [first, ...others] = all as never[];
    return toCaller({
      principal: first as never,
      actors: others,
      ...(key !== undefined && { credential: `credential:${key}` as never }),
    });
  });

test('two callers have one cache key only where they are the same subjects in the same order', () => {
  fc.assert(
    fc.property(callers, callers, (one, other) => {
      if (one === undefined || other === undefined) return;
      assert.equal(one.caller === other.caller, JSON.stringify(one.subjects) === JSON.stringify(other.subjects));
    }),
    { numRuns: 3_000 },
  );
});

test('a decision that is kept is found by its own caller, endpoint and objects alone', () => {
  const part = fc.constantFrom(
    'a',
    'b',
    'a b',
    'site/a',
    'x:1#view',
    'x:1#view y:2#view',
    'credential:k user:a',
    'user:a',
    '',
  );
  fc.assert(
    fc.property(part, part, part, part, part, part, (caller, endpoint, objects, caller2, endpoint2, objects2) => {
      const cache = decisionCache(100);
      const asked = (who: string, at: string, what: string) => ({
        // As they are made: ids hold no blank, and an endpoint's neither.
        subjects: [`user:${encodeId(who === '' ? '-' : who)}`],
        caller: `user:${encodeId(who === '' ? '-' : who)}`,
        endpoint: `site/${encodeId(at === '' ? '-' : at)}`,
        ...(what !== '' && { objects: what }),
      });
      const answer = { outcome: 'allow' as const, sequence: 1 as never, dependsOn: [] };
      cache.keep(asked(caller, endpoint, objects), { now: '' } as never, answer);
      const found = cache.find(asked(caller2, endpoint2, objects2), { now: '' } as never);
      assert.equal(found !== undefined, caller === caller2 && endpoint === endpoint2 && objects === objects2);
    }),
    { numRuns: 2_000 },
  );
});
