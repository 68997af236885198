/** The 25 questions of an auditor, asked of a started gate about a month that was told to it: by call, and by command. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseVkey, verifyProof } from '@postern/schemas/tlog';
import { postern } from '../world/command.ts';
import { auditedWorld, type Told, tell } from './story.ts';

type Row = Readonly<Record<string, string | number | boolean | undefined>>;
type Proven = {
  readonly size: number;
  readonly entries: number;
  readonly proofs: readonly { index: number; proof: string }[];
};
type Answer = {
  readonly question: number;
  readonly query: object;
  readonly summary: Row;
  readonly count: number;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
  readonly evidence: { readonly facts: Proven; readonly decisions: Proven; readonly proof?: Record<string, unknown> };
};

describe('the 25 questions', () => {
  let told: Told;
  const stack = new AsyncDisposableStack();
  before(async () => {
    const world = stack.use(await auditedWorld());
    await world.start();
    told = await tell(world);
  });
  after(() => stack.disposeAsync());

  const get = async (path: string) =>
    fetch(`${told.world.gate}/.postern/audit/${path}`, { headers: { 'x-api-key': told.key } });
  const ask = async (number: number, query: Record<string, string> = {}): Promise<Answer> => {
    const response = await get(`questions/${number}?${new URLSearchParams(query)}`);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const answer = JSON.parse(text) as Answer;
    assert.equal(answer.count, answer.rows.length);
    return answer;
  };
  const run = (...args: string[]) =>
    postern(args, { cwd: told.world.folder, env: { POSTERN_URL: told.world.gate, POSTERN_KEY: told.key } });

  test('1: who could call an endpoint, through which role, given by whom and why', async () => {
    const { rows } = await ask(1, { endpoint: 'payroll/getPayslip' });
    assert.deepEqual(
      rows.map(({ subject, role, grantedBy, approvedBy, ticket }) => [subject, role, grantedBy, approvedBy, ticket]),
      [
        ['user:ann', 'payslips', 'user:boss', 'user:boss', 'T-1'],
        ['user:max', 'office', 'user:admin', undefined, undefined],
      ],
    );
    const then = await ask(1, { endpoint: 'payroll/listEmployees', at: told.before });
    assert.ok(
      then.rows.some(({ subject }) => subject === 'user:eve'),
      'as was recorded then',
    );
    const now = await ask(1, { endpoint: 'payroll/listEmployees', at: told.before, known: 'now' });
    assert.ok(!now.rows.some(({ subject }) => subject === 'user:eve'), 'she had left, as is known now');
  });

  test('2: what somebody could reach, and how that changed, by which facts', async () => {
    const { rows } = await ask(2, { subject: 'user:ann' });
    assert.ok(rows.some(({ endpoint, role }) => endpoint === 'payroll/getPayslip' && role === 'payslips'));
    const longAgo = new Date(Date.now() - 2 * 86_400_000).toISOString();
    const early = await ask(2, { subject: 'user:ann', at: longAgo, known: 'now' });
    assert.deepEqual(early.rows, [], 'what is for a later time does not count for an earlier one');
    const changed = await ask(2, { subject: 'user:eve', from: told.before });
    const lost = changed.rows.filter(({ what }) => what === 'lost').map(({ endpoint }) => endpoint);
    assert.ok(lost.includes('payroll/listEmployees'), JSON.stringify(changed.rows));
    assert.equal(changed.summary['gained'], 0);
  });

  test('3: who granted, who approved, under which ticket, and before it took effect', async () => {
    const { rows } = await ask(3, { grant: told.grant });
    assert.partialDeepStrictEqual(rows, [
      {
        subject: 'user:ann',
        role: 'payslips',
        grantedBy: 'user:boss',
        ticket: 'T-1',
        approvedBy: 'user:boss as manager',
        approvedBefore: true,
      },
    ]);
  });

  test('4: nobody had a hand in their own access, and it says how much was looked at', async () => {
    const { rows, summary } = await ask(4);
    assert.deepEqual(rows, []);
    assert.ok(Number(summary['grantsChecked']) > 5 && summary['reviewsChecked'] === 1);
  });

  test('5: the whole population of grants and revocations, as many as the log holds', async () => {
    const { rows, summary } = await ask(5);
    for (const [name, type] of [
      ['issued', 'postern.grant.issued.v1'],
      ['revoked', 'postern.grant.revoked.v1'],
    ] as const) {
      const page = (await (await get(`facts?type=${type}&limit=1000`)).json()) as { items: object[] };
      assert.equal(summary[name], page.items.length);
    }
    assert.equal(rows.length, Number(summary['issued']) + Number(summary['revoked']) + Number(summary['expired']));
  });

  test('6: a termination from HR to the first refusal, and whether it took too long', async () => {
    const { rows, summary } = await ask(6, { sla: '1' });
    const [row] = rows;
    assert.equal(rows.length, 1);
    assert.equal(row?.['subject'], 'user:eve');
    assert.equal(row?.['effective'], told.leaver.effective);
    const times = ['effective', 'received', 'decided', 'enforced', 'firstRefusal'].map((name) => String(row?.[name]));
    assert.deepEqual(times, times.toSorted(), 'in this order');
    assert.ok(Number(row?.['seconds']) >= 86_400 && row?.['late'] === true);
    assert.equal(summary['breaches'], 1);
    assert.equal((await ask(6, { sla: '48' })).summary['breaches'], 0);
    assert.ok(Number(summary['p50Seconds']) === Number(summary['maxSeconds']));
  });

  test('7: what was allowed after somebody had left: what came before we were told is not passed over', async () => {
    const { rows } = await ask(7);
    assert.ok(rows.length > 0);
    for (const { subject, what } of rows)
      assert.deepEqual([subject, what], ['user:eve', 'allowed before we were told']);
  });

  test('8: what a mover kept', async () => {
    const { rows } = await ask(8);
    assert.partialDeepStrictEqual(
      rows.filter(({ role }) => role === 'office'),
      [{ subject: 'user:max', from: 'finance', to: 'hr', reason: 'kept' }],
    );
    assert.ok(!rows.some(({ role }) => role === 'payroll-reader'), 'the birthright is gone');
  });

  test('9: a review: frozen, decided, taken away, enforced, refused', async () => {
    const { rows, summary } = await ask(9, { review: told.review });
    assert.partialDeepStrictEqual(rows, [
      {
        title: 'office',
        subject: 'user:eve',
        decision: 'revoke',
        by: 'user:boss',
        reason: 'no longer helps',
        refusedEndpoint: 'payroll/getPayslip',
      },
    ]);
    assert.partialDeepStrictEqual(summary, { revokes: 1, executed: 1, enforced: 1, thenRefused: 1 });
    assert.ok(String(rows[0]?.['enforced']) <= String(rows[0]?.['thenRefused']));
  });

  test('10: which access nobody uses', async () => {
    const { rows } = await ask(10, { days: '0', subject: 'user:max' });
    assert.ok(rows.some(({ endpoint, role }) => endpoint === 'payroll/addEmployee' && role === 'office'));
    const anns = await ask(10, { days: '30', subject: 'user:ann' });
    assert.deepEqual(anns.rows, [], 'all of it is younger than thirty days');
  });

  test('11: an emergency: who, why, what was done, who looked at it', async () => {
    const { rows } = await ask(11);
    assert.partialDeepStrictEqual(rows, [
      {
        subject: 'user:ann',
        role: 'repair',
        reason: 'the month does not close',
        reviewedBy: 'user:boss',
        verdict: 'justified',
      },
    ]);
    assert.match(String(rows[0]?.['called']), /payroll\/closeMonth/);
  });

  test('12: who changed a role, what it was, and whose access that widened', async () => {
    const { rows } = await ask(12, { role: 'office' });
    const changed = rows.find(({ what }) => what === 'role office changed');
    assert.match(String(changed?.['after']), /addEmployee/);
    assert.doesNotMatch(String(changed?.['before']), /addEmployee/);
    assert.deepEqual(
      rows
        .filter(({ what }) => what === 'role office changed: gained')
        .map(({ subject, endpoint }) => [subject, endpoint]),
      [['user:max', 'payroll/addEmployee']],
    );
  });

  test('13: a key from its issue to its end', async () => {
    const { rows } = await ask(13, { subject: 'user:eve' });
    assert.partialDeepStrictEqual(rows, [
      { owner: 'user:eve', scope: 'payroll-reader', by: 'user:admin', reason: 'her script' },
    ]);
    assert.ok(rows[0]?.['revoked'] !== undefined, 'it ended with its owner');
  });

  test('14: refused attempts, by endpoint and by person', async () => {
    const { rows } = await ask(14, { subject: 'user:eve' });
    assert.deepEqual(
      rows.map(({ endpoint, reason }) => [endpoint, reason]),
      [
        ['payroll/getPayslip', 'no-grant'],
        ['payroll/getPayslip', 'no-grant'],
        ['payroll/listEmployees', 'no-grant'],
      ],
    );
  });

  test('15: what administrators did, by kind', async () => {
    const { rows } = await ask(15, { subject: 'user:admin' });
    const did = new Set(rows.map(({ did: what }) => what));
    for (const what of ['grant.issued', 'credential.issued', 'role.changed']) assert.ok(did.has(what), what);
  });

  test('16 and 25: who read the record and the reports', async () => {
    await get('facts?limit=1');
    const { rows } = await ask(16, { subject: 'user:admin' });
    assert.ok(rows.some(({ endpoint }) => endpoint === 'postern/askQuestion'));
    const reviewed = await ask(25);
    assert.ok(reviewed.rows.some(({ who, opened }) => who === 'user:admin' && opened === 'postern/askQuestion'));
  });

  test('17: what each record says', async () => {
    const { rows } = await ask(17, { subject: 'user:ann' });
    assert.deepEqual(
      rows.map(({ field, missing }) => [field, missing]),
      ['user', 'type of event', 'date and time', 'success or failure', 'origin', 'affected resource'].map((field) => [
        field,
        0,
      ]),
    );
  });

  test('18: a record is proven, and that nothing was removed since an earlier size', async () => {
    const { rows, evidence } = await ask(18, { sequence: '5', size: '4' });
    assert.equal(rows[0]?.['fact'], 5);
    const consistency = evidence.proof?.['consistency'] as { from: number; to: number; hashes: string[] };
    assert.deepEqual([consistency.from, consistency.to], [4, evidence.facts.size]);
    assert.ok(consistency.hashes.length > 0);
  });

  test('19: nothing is missing, for each source', async () => {
    const { rows, summary } = await ask(19);
    assert.equal(summary['gaps'], 0);
    assert.ok(rows.some(({ source }) => String(source).startsWith('decisions of ')));
  });

  test('20: how far occurrence and recording lie apart', async () => {
    const { rows } = await ask(20);
    assert.ok(Number(rows[0]?.['seconds']) > 29 * 86_400, 'those who were hired a month before come first');
    assert.ok(
      rows.some(({ seconds }) => Math.abs(Number(seconds) - 86_400) < 600),
      'the late termination',
    );
  });

  test('21 and 22: what was kept, pruned and erased; what the record does not hold is said', async () => {
    const kept = await ask(21);
    assert.deepEqual(
      kept.rows.slice(0, 2).map(({ log, prunedBefore }) => [log, prunedBefore]),
      [
        ['facts', 0],
        ['decisions', 0],
      ],
    );
    const erased = await ask(22, { subject: 'user:eve' });
    assert.equal(erased.count, 0);
    assert.match(erased.notes.join('\n'), /no fact of an erasure/);
  });

  test('23: rebuilt from the log, the authorizer holds the same at every place', async () => {
    const { rows, summary } = await ask(23);
    assert.ok(rows.length >= 5);
    assert.equal(summary['different'], 0);
  });

  test('24: a decision was right given what was known, and what of it is known now', async () => {
    const { rows, summary } = await ask(24, { decision: told.allowedDecision });
    assert.deepEqual(
      rows.map(({ answer }) => answer),
      ['allow', 'allow', 'allow'],
    );
    assert.equal(summary['right'], true);
    const late = (await (
      await get('decisions?subject=user:eve&outcome=allow&endpoint=payroll/listEmployees&limit=1')
    ).json()) as { items: { id: string }[] };
    const eves = await ask(24, { decision: late.items[0]?.id ?? '' });
    assert.deepEqual(
      [eves.summary['right'], eves.summary['rightAsKnownNow']],
      [true, false],
      'she had left, but nobody had said so',
    );
  });

  test('every answer carries the size it was computed at, and proofs that a stranger verifies', async () => {
    const vkey = await parseVkey((await (await get('log/facts/vkey')).text()).trim());
    assert.ok(vkey);
    const { evidence } = await ask(3);
    assert.ok(evidence.facts.proofs.length > 5);
    for (const { index, proof } of evidence.facts.proofs) {
      const entry = new Uint8Array(await (await get(`log/facts/entry/${index}`)).arrayBuffer());
      const verified = await verifyProof(proof, entry, vkey);
      assert.deepEqual([verified.outcome, 'index' in verified && verified.index], ['proven', index]);
    }
  });

  test('a question that is asked with what it does not look at is refused, and so is one without what it needs', async () => {
    for (const path of [
      'questions/1',
      'questions/1?endpoint=payroll/getPayslip&days=3',
      'questions/26',
      'questions/3?nonsense=1',
    ]) {
      const { status } = await get(path);
      assert.ok(status === 400 || status === 404, path);
    }
  });

  test('each is one command', async () => {
    const needs: Readonly<Record<number, readonly string[]>> = {
      1: ['--endpoint', 'payroll/getPayslip'],
      2: ['--subject', 'user:ann'],
      24: ['--decision', told.allowedDecision],
    };
    for (let number = 1; number <= 25; number++) {
      const { code, stdout, stderr } = await run('audit', 'question', String(number), ...(needs[number] ?? []));
      assert.equal(code, 0, `${number}: ${stderr}`);
      assert.ok(stdout.startsWith(`${number}. `), stdout);
      assert.match(stderr, /rests on \d+ of \d+ facts/);
    }
  });

  test('the commands about the past and the replay answer of the same log', async () => {
    const who = await run('audit', 'as-of', '--at', told.before, '--endpoint', 'payroll/listEmployees');
    assert.equal(who.code, 0, who.stderr);
    assert.match(who.stdout, /user:eve/);
    const call = ['audit', 'as-of', '--subject', 'user:eve', '--call', 'GET /payroll/employees'];
    assert.match((await run(...call, '--at', told.before)).stdout, /^allow/);
    const gone = await run(...call);
    assert.deepEqual([gone.code, gone.stdout.slice(0, 4)], [1, 'deny']);
    const changed = await run('audit', 'as-of', '--from', told.before);
    assert.match(changed.stdout, /lost: \d+\n.*user:eve/s);
    assert.match(changed.stdout, /principal\.left/);

    const shown = await run('audit', 'replay', '--from', told.before);
    assert.match(shown.stdout, /principal\.left +user:eve/);
    const rebuilt = await run('audit', 'replay', '--rebuild', '--every', '20');
    assert.equal(rebuilt.code, 0, rebuilt.stdout + rebuilt.stderr);
    assert.match(rebuilt.stdout, /the live authorizer at \d+: \d+ relationships, the same/);
    const verified = await run('audit', 'replay', '--verify');
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /[\d,]+ decisions, [\d,]+ decided the same again, 0 otherwise/);
    const copied = await run('audit', 'replay', '--into', 'file:./copy');
    assert.equal(copied.code, 0, copied.stderr);
    const twice = await run('audit', 'replay', '--into', 'file:./copy');
    assert.equal(twice.code, 1, 'facts go where they stood, once');
  });
});
