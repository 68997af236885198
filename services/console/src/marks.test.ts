import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  countsOf,
  decisionsMax,
  type Mark,
  marked,
  noMarks,
  onlyOf,
  sendings,
  undone,
} from '../page/src/deciding/marks.ts';

const keep: Mark = { verdict: 'keep', reason: 'needs it' };
const revoke: Mark = { verdict: 'revoke', reason: 'left the project' };

test('every step is taken back in turn, and what an item was marked as before comes back', () => {
  const one = marked(noMarks, ['a', 'b'], keep);
  const two = marked(one, ['b', 'c'], revoke);
  assert.deepEqual(countsOf(two), { keep: 1, revoke: 2, shorten: 0 });
  assert.deepEqual(undone(two), one);
  assert.deepEqual(undone(undone(two)), noMarks);
  assert.deepEqual(undone(noMarks), noMarks);
});

test('what is no longer open is forgotten, and taking a step back does not bring it back', () => {
  const both = marked(marked(noMarks, ['a'], keep), ['a', 'b'], revoke);
  const left = onlyOf(both, new Set(['b']));
  assert.deepEqual(Object.keys(left.marks), ['b']);
  assert.deepEqual(undone(left).marks, {});
});

test('decisions are sent by reason, in parts that one call takes, and none is lost or sent twice', () => {
  const grants = Array.from({ length: decisionsMax + 5 }, (_, at) => `g${at}`);
  const sent = sendings(marked(marked(noMarks, grants, keep), ['g0', 'x'], revoke));
  assert.deepEqual(
    sent.map(({ reason, decisions }) => [reason, decisions.length]),
    [
      ['left the project', 2],
      ['needs it', decisionsMax],
      ['needs it', 4],
    ],
  );
  const all = sent.flatMap(({ decisions }) => decisions.map(({ grant }) => grant));
  assert.equal(new Set(all).size, all.length);
  assert.equal(all.length, decisionsMax + 6);
});

test('a shortened grant says until when', () => {
  const until = '2027-01-01T00:00:00.000Z';
  assert.deepEqual(sendings(marked(noMarks, ['a'], { verdict: 'shorten', reason: 'till the audit', until })), [
    { reason: 'till the audit', decisions: [{ grant: 'a', decision: 'shorten', until }] },
  ]);
});
