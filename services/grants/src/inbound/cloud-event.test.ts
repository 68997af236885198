import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { readEvents } from './cloud-event.ts';
import { toCommand } from './to-command.ts';

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const joined = {
  specversion: '1.0' as const,
  id: '1',
  source: '/hr',
  type: 'postern.person.joined.v1',
  subject: 'user:alice',
  data: { department: 'finance' },
};
const structured = { 'content-type': 'application/cloudevents+json' };
const now = '2026-11-24T08:00:00.000Z';

test('the three modes of CloudEvents say the same', () => {
  const [one] = readEvents(structured, bytes(joined));
  const [two] = readEvents({ 'content-type': 'application/cloudevents-batch+json' }, bytes([joined]));
  const [three] = readEvents(
    {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/hr',
      'ce-type': joined.type,
      'ce-subject': 'user:alice',
    },
    bytes(joined.data),
  );
  for (const part of [one, two, three]) {
    assert.ok(part?.outcome === 'read');
    const { command } = toCommand({ ...part.event, time: undefined }, now);
    assert.deepEqual(command, {
      kind: 'join',
      principal: 'user:alice',
      attributes: { department: 'finance' },
      reason: undefined,
    });
  }
});

test('a malformed event is refused with what is wrong', () => {
  const refused: [string, Record<string, string>, unknown, RegExp][] = [
    ['no JSON', structured, '{', /bad-event|JSON/i],
    ['no type', structured, { ...joined, type: undefined }, /type/],
    ['no id', structured, { ...joined, id: undefined }, /id/],
    ['another specversion', structured, { ...joined, specversion: '0.3' }, /specversion/],
    ['a time that is none', structured, { ...joined, time: 'yesterday' }, /time|date/i],
    ['no content type', {}, joined, /./],
    ['not UTF-8', structured, Uint8Array.from([0xff, 0xfe, 0x7b]), /UTF-8/],
  ];
  for (const [what, headers, body, why] of refused)
    assert.throws(
      () => {
        for (const part of readEvents(headers, body instanceof Uint8Array ? body : bytes(body)))
          if (part.outcome === 'unreadable') throw part.problem;
      },
      (error) => isProblem(error, 'grants/bad-event') && why.test(error.message),
      what,
    );
});

test('a subject that names nobody, and a type without a rule, are refused', () => {
  assert.throws(
    () => toCommand({ ...joined, subject: 'alice@example.com' }, now),
    (error) => isProblem(error, 'grants/bad-event') && /user:NAME/.test(error.message),
  );
  assert.throws(
    () => toCommand({ ...joined, type: 'com.example.hired' }, now),
    (error) => isProblem(error, 'grants/unknown-event-type'),
  );
  assert.throws(
    () => toCommand({ ...joined, data: { department: 7 } }, now),
    (error) => isProblem(error, 'grants/bad-event') && /data\.department/.test(error.message),
  );
});

test('names and addresses never become part of a fact', () => {
  const { command, ignored } = toCommand(
    { ...joined, data: { department: 'finance', email: 'a@b.c', givenName: 'Alice' } },
    now,
  );
  assert.deepEqual(ignored, ['email', 'givenName']);
  assert.doesNotMatch(JSON.stringify(command), /a@b\.c|Alice"/);
});
