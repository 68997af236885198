import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { FileMistake } from '@postern/runtime';
import { isProblem, Problem } from '@postern/schemas';
import { startOfDay } from './functions.ts';
import { mappings } from './mappings.ts';
import { type FeedRule, readFeedRules } from './rules.ts';
import { openRoom, type TestRoom } from './testing/open-room.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-feeds-'));
after(() => rmSync(folder, { recursive: true }));

const written = (text: string): { rules: readonly FeedRule[]; mistakes: FileMistake[]; file: string } => {
  const file = join(folder, 'feeds.yaml');
  writeFileSync(file, text);
  const mistakes: FileMistake[] = [];
  return { rules: readFeedRules(file, mistakes) ?? [], mistakes, file };
};

const guide = readFileSync(fileURLToPath(new URL('../../../../docs/how-to/feeds.md', import.meta.url)), 'utf8');
/** The fenced block behind a comment of the guide. */
const block = (name: string): string =>
  new RegExp(`<!-- ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? assert.fail(`no block ${name}`);

describe('the guide’s feeds.yaml', () => {
  const { rules, mistakes } = written(block('feeds.yaml'));
  const foreign = mappings(rules);
  after(() => foreign[Symbol.asyncDispose]());
  test('has no mistakes', () => {
    assert.deepEqual(mistakes, []);
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['workday', 'successfactors', 'bamboohr'],
    );
  });
  for (const { name } of rules)
    test(`makes of the message of ${name} the events that the guide shows`, async () => {
      const made = await foreign.map(foreign.named(name), JSON.parse(block(`${name}: input`)));
      assert.deepEqual(made, JSON.parse(block(`${name}: output`)));
    });
  test('makes nothing of a transaction that means nothing here', async () => {
    const input = JSON.parse(block('workday: input'));
    input.Transaction_Log_Data.Transaction_Type = 'Change Emergency Contacts';
    assert.deepEqual(await foreign.map(foreign.named('workday'), input), []);
  });
});

test('a mistake in a rule is told with its file and line, every one at once', () => {
  const { mistakes, file } = written(`fine:
  events: '{ "id": "1" }'
broken:
  types: [com.example.a, com.example.b]
  events: |
    {
      "id": 1,
      "type": ,
    }
other:
  types: [com.example.b]
  events: $(
`);
  assert.deepEqual(
    mistakes.map((mistake) => [mistake.file, mistake.line]),
    [
      [file, 8],
      [file, 12],
      [file, 11],
    ],
  );
});

const failing = `endless:
  timeoutMs: 300
  events: '($again := function() { $again() }; $again())'
greedy:
  timeoutMs: 10000
  events: '($more := function($a) { $more($append($a, $a)) }; $more([1..1000]))'
thrower:
  events: |
    (
      $a := 1;
      $error("no " & name & " here")
    )
stranger:
  events: '{ "id": "1", "type": "com.example.hired", "source": "/x" }'
nameless:
  events: '{ "type": "postern.person.left.v1", "subject": "user:ann", "source": "/x" }'
good:
  source: /good
  types: [com.example.*]
  events: '{ "id": $string(id), "type": "postern.person.joined.v1", "subject": "user:" & $id(data.name ? data.name : name) }'
`;

test('an expression that does not end, or builds without end, is stopped, and the next one is answered', async () => {
  const { rules, file } = written(failing);
  await using foreign = mappings(rules);
  const why = async (name: string): Promise<string> => {
    try {
      await foreign.map(foreign.named(name), { name: 'ann' });
      return 'nothing';
    } catch (error) {
      assert.ok(isProblem(error, 'grants/bad-mapping'), String(error));
      return error.detail ?? '';
    }
  };
  assert.equal(await why('endless'), `${file}:3: endless: it did not end within 300 ms`);
  assert.match(await why('greedy'), /:6: greedy: it (needs more than 96 MB|did not end)/);
  assert.match(await why('thrower'), new RegExp(`^${file}:1[12]: thrower: no ann here`));
  assert.match(await why('stranger'), /com\.example\.hired, which is none of ours/);
  assert.match(await why('nameless'), /event\.id/);
  const [made] = await foreign.map(foreign.named('good'), { id: 7, name: 'Ann Lee' });
  assert.equal(made?.subject, 'user:Ann=20Lee');
});

test('days begin where the zone’s clock says so, on the days on which it is changed too', () => {
  assert.equal(startOfDay('2026-12-01'), '2026-12-01T00:00:00.000Z');
  assert.equal(startOfDay('2026-12-01', 'Europe/Berlin'), '2026-11-30T23:00:00.000Z');
  assert.equal(startOfDay('2026-10-25', 'Europe/Berlin'), '2026-10-24T22:00:00.000Z');
  assert.equal(startOfDay('2026-10-26', 'Europe/Berlin'), '2026-10-25T23:00:00.000Z');
  assert.equal(startOfDay('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z');
  assert.equal(startOfDay('2026-11-01', 'America/Los_Angeles'), '2026-11-01T07:00:00.000Z');
  assert.equal(startOfDay('2026-12-01', 'Asia/Kolkata'), '2026-11-30T18:30:00.000Z');
  assert.equal(startOfDay(undefined), undefined);
  assert.throws(() => startOfDay('1.12.2026'), RangeError);
});

describe('foreign events', () => {
  let log: EventLog;
  let at: TestRoom;
  before(async () => {
    log = await openEventLog('memory:');
    at = await openRoom(log, { feedRules: written(failing).rules });
  });
  after(async () => {
    await at[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });

  test('any JSON goes to the rule that is named, a CloudEvent to the rule of its type', async () => {
    const plain = await at.call('POST', '/events/good', { id: 1, name: 'ann' });
    assert.deepEqual([plain.status, plain.body['source'], plain.body['id']], [202, '/good', '1']);
    const typed = await at.send({ id: 'c1', type: 'com.example.hired', data: { name: 'bob' } });
    assert.deepEqual([typed.status, typed.body['source'], typed.body['id']], [202, '/good', 'c1']);
    for (const person of ['ann', 'bob'])
      assert.equal((await at.call('GET', `/principals/user:${person}`)).body['state'], 'active');
    assert.equal((await at.call('POST', '/events/nobody', {})).status, 404);
    assert.equal((await at.call('POST', '/events/good', { id: 1, name: 'ann' })).body['repeated'], true);
  });

  test('what a rule fails on lies in quarantine as it came, and is replayed by the rule as it then is', async () => {
    const refused = await at.call('POST', '/events/thrower', { id: 2, name: 'cat' });
    assert.deepEqual([refused.status, refused.body.type], [422, 'urn:postern:problem:grants/bad-mapping']);
    const id = String(refused.body['quarantined']);
    const shown = await at.call('GET', `/feeds/quarantine/${id}`);
    assert.deepEqual([shown.body['content'], shown.body['rule']], [{ id: 2, name: 'cat' }, 'thrower']);
    const { rules } = written(
      failing.replace(
        '$error("no " & name & " here")',
        '{ "id": "t2", "source": "/t", "type": "postern.person.joined.v1", "subject": "user:" & name }',
      ),
    );
    await at.room.reconfigure({ model: at.model, feedRules: rules, feeds: [], transmitters: [], notices: [] });
    assert.equal((await at.call('POST', `/feeds/quarantine/${id}/replay`, {})).status, 200);
    assert.equal((await at.call('GET', '/principals/user:cat')).body['state'], 'active');
  });
});

test('a rule that is named in a topic and is not there is refused at the start', async () => {
  const { loadFeedRules } = await import('./rules.ts');
  const file = join(folder, 'postern.yaml');
  writeFileSync(file, 'feeds:\n  - kafka: kafka://b:9092/t\n    rule: nowhere\n');
  const { loadConfig } = await import('@postern/runtime');
  assert.throws(
    () => loadFeedRules(loadConfig(file, {})),
    (error) => error instanceof Problem && /postern\.yaml:3: there is no rule nowhere/.test(error.message),
  );
});
