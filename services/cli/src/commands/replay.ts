/** audit replay: the log once more, to be read, kept elsewhere, built into an authorizer, or held against its own decisions. */
import { setTimeout as pause } from 'node:timers/promises';
import { appendsOf, rebuildChecks, verifyDecisions } from '@postern/audit/app';
import { judgeOver } from '@postern/authorizer/app';
import { openEventLog } from '@postern/event-log/open';
import { openRelationships } from '@postern/relationships/open';
import { Sequence } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { type Command, Option } from 'commander';
import { CommandFailure } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { wholeNumber } from '../input.ts';
import { print, printJson, printTable, progress, tell } from '../output.ts';
import { type ReplaySource, replaySource } from '../replayed.ts';
import { connect, type Shared, withConnection } from './connect.ts';
import { factHeading, factLine } from './fact-line.ts';

type Options = Shared & {
  readonly from?: string;
  readonly to?: string;
  readonly speed: string;
  readonly source?: string;
  readonly ndjson?: boolean;
  readonly into?: string;
  readonly rebuild?: boolean;
  readonly every: number;
  readonly verify?: boolean;
  readonly differences: number;
};

export const replayCommand = (audit: Command): void => {
  withConnection(audit.command('replay'))
    .description('the facts once more in their order; --rebuild and --verify hold them against what they led to')
    .option('--from <moment>', 'from this sequence or RFC 3339 instant on (default: the first fact)')
    .option('--to <moment>', 'up to this one (default: the last)')
    .option('--speed <speed>', '1x as it happened, 10x ten times as fast, max', 'max')
    .option('--source <folder>', 'an export with facts.ndjson and decisions.ndjson, instead of a gate')
    .option('--ndjson', 'print each fact as the line of JSON that it is')
    .option('--into <log>', 'append them to another log, empty up to there: file:DIR or kafka://HOST:PORT/PREFIX')
    .option(
      '--rebuild',
      'build the authorizer from the log, and compare hashes of its relationships on the way and with the live one',
    )
    .option('--every <facts>', 'with --rebuild: compare after so many facts', wholeNumber(1, 100_000_000), 10_000)
    .addOption(
      new Option('--verify', 'decide the recorded decisions once more, and list what differs').conflicts('rebuild'),
    )
    .option('--differences <n>', 'with --verify: list at most so many', wholeNumber(0, 1_000_000), 100)
    .action(async (options: Options) => {
      const source = await replaySource(options, () => connect(options));
      if (options.rebuild) await rebuildFrom(source, options);
      else if (options.verify) await verifyFrom(source, options);
      else if (options.into !== undefined) await copyInto(source, options.into);
      else await show(source, options);
    });
};

const openEngine = () => openRelationships('embedded:');

const show = async (source: ReplaySource, { speed, ndjson, json }: Options): Promise<void> => {
  const factor = speedOf(speed);
  if (!ndjson && !json) print(factHeading);
  let before: number | undefined;
  for await (const entry of source.facts()) {
    const at = Date.parse(entry.envelope.recordedtime);
    if (before !== undefined && factor !== undefined) await pause(Math.max(0, at - before) / factor);
    before = at;
    print(ndjson || json ? new TextDecoder().decode(entry.bytes) : factLine(entry));
  }
};

/** Undefined: as fast as it goes. */
const speedOf = (speed: string): number | undefined => {
  if (speed === 'max') return undefined;
  const factor = /^(\d{1,6}(?:\.\d+)?)x$/.exec(speed)?.[1];
  if (factor === undefined || Number(factor) <= 0)
    throw new CommandFailure(`--speed takes 1x, 10x or max, not "${speed}"`, exitCodes.usage);
  return Number(factor);
};

const copyInto = async (source: ReplaySource, url: string): Promise<void> => {
  await using log = await openEventLog(url, { telemetry: noTelemetry });
  const bar = progress('copying');
  let copied = 0;
  for await (const append of appendsOf(source.facts())) {
    const [first] = append;
    if (first === undefined) continue;
    const drafts = append.map((entry) => source.draftOf(entry));
    const written = await log.facts.append(Sequence.parse(first.sequence - 1), drafts);
    if (written.outcome === 'lost')
      throw new CommandFailure(
        `${url} does not end at fact ${first.sequence - 1}: facts go where they stood, so it has to hold those before them and none behind`,
        exitCodes.refused,
      );
    copied += append.length;
    bar.at(copied, source.size);
  }
  bar.done();
  print(`${copied} facts copied into ${url}`);
};

const rebuildFrom = async (source: ReplaySource, { every, json }: Options): Promise<void> => {
  const live = await source.live();
  const bar = progress('rebuilding');
  const checks = [];
  for await (const check of rebuildChecks(openEngine, appendsOf(source.facts(live?.sequence)), every)) {
    checks.push(check);
    bar.at(check.sequence, live?.sequence ?? source.size);
  }
  bar.done();
  const last = checks.at(-1);
  const same = checks.every(({ folded, held }) => folded === held);
  const asLive = live === undefined ? undefined : live.sequence === last?.sequence && live.sha256 === last.held;
  if (json) printJson({ checks, live: live ?? null, same, asLive: asLive ?? null });
  else {
    printTable(
      ['SEQ', 'RELATIONSHIPS', 'SHA-256 OF THE FOLD', 'OF THE ENGINE'],
      checks.map(({ sequence, relationships, folded, held }) => [
        sequence,
        relationships,
        folded,
        folded === held ? 'the same' : held,
      ]),
    );
    if (live !== undefined)
      print(
        `the live authorizer at ${live.sequence}: ${live.relationships} relationships, ${asLive ? 'the same' : `NOT THE SAME: ${live.sha256}`}`,
      );
  }
  if (!same || asLive === false) process.exitCode = exitCodes.refused;
};

const verifyFrom = async (source: ReplaySource, { json, differences: shown }: Options): Promise<void> => {
  const bar = progress('deciding');
  const began = performance.now();
  const result = await verifyDecisions(
    { openEngine, judgeOver, onProgress: bar.at },
    appendsOf(source.facts(undefined, { fromTheFirst: true })),
    source.decisions(),
  );
  bar.done();
  const seconds = (performance.now() - began) / 1_000;
  const { decisions, same, asked, differences, leftOut } = result;
  if (json) printJson({ ...result, differences: differences.slice(0, shown), different: differences.length, seconds });
  else {
    print(
      `${decisions.toLocaleString('en')} decisions, ${same.toLocaleString('en')} decided the same again, ${differences.length.toLocaleString('en')} otherwise`,
    );
    for (const [why, many] of Object.entries(leftOut))
      print(`  ${many.toLocaleString('en')} not decided by permissions: ${why}`);
    if (differences.length > 0 && shown > 0)
      printTable(
        ['WHEN', 'FACT', 'WHO', 'ENDPOINT', 'RECORDED', 'NOW', 'DECISION'],
        differences
          .slice(0, shown)
          .map(({ at, sequence, subject, endpoint, recorded, replayed, decision }) => [
            at,
            sequence,
            subject,
            endpoint,
            recorded,
            replayed,
            decision,
          ]),
      );
    tell(
      `${asked.toLocaleString('en')} questions asked in ${seconds.toFixed(1)} s, ${Math.round(decisions / seconds).toLocaleString('en')} decisions a second`,
    );
  }
  if (differences.length > 0) process.exitCode = exitCodes.refused;
};
