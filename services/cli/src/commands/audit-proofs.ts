/** audit verify, proof, checkpoint, copy: the record against what was signed, over the gate or from files. */
import { join } from 'node:path';
import { copyLog, filesIn, mapped, type Verified, verifyFolder, verifyLog } from '@postern/audit/app';
import { findingText, parseKeptCheckpoint, parseServedRow } from '@postern/schemas/record';
import { parseVkeys, verifyGrowth } from '@postern/schemas/tlog';
import { type Command, Option } from 'commander';
import { CommandFailure, failureOf, request } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { readTextFile, several } from '../input.ts';
import { print, printJson, progress, tell } from '../output.ts';
import { keyCommands } from './audit-keys.ts';
import {
  checkpointsIn,
  chosenLogs,
  getOf,
  growthText,
  keptLines,
  keysOf,
  type LogName,
  logNames,
  rowLines,
} from './audit-log.ts';
import { watchCommands } from './audit-watch.ts';
import { connect, type Shared, withConnection } from './connect.ts';
import { verifyBundleAt } from './export.ts';

type OneLog = { readonly log?: LogName };
type Verifying = Shared &
  OneLog & { vkey?: string; files?: string; bundle?: string; since?: readonly string[]; rows: boolean };

const oneLog = (description: string): Option => new Option('--log <name>', description).choices([...logNames]);
const bothByDefault = 'one of the two logs; both by default';

export const proofCommands = (audit: Command): void => {
  keyCommands(audit);
  watchCommands(audit);
  withConnection(audit.command('verify'))
    .description('check every entry, row and kept checkpoint of both logs against what is signed')
    .option(
      '--vkey <file>',
      'the verifier keys, one a line, kept from a time you trusted; otherwise those that the gate names now',
    )
    .option('--since <file>', 'a checkpoint that you kept: the log must have grown from it; may be repeated', several)
    .option('--files <dir>', 'offline: a copy that postern audit copy has written')
    .option('--bundle <file>', 'offline: an evidence bundle that postern audit export has written')
    .option('--no-rows', 'not the rows that searches look at; entries and checkpoints alone')
    .addOption(oneLog(bothByDefault))
    .action(async (options: Verifying) => {
      if (options.bundle !== undefined) {
        const trusted = options.vkey === undefined ? undefined : readTextFile(options.vkey);
        return verifyBundleAt(options.bundle, trusted, options.json === true);
      }
      const results = [];
      for (const log of chosenLogs(options.log)) results.push(await verifyOne(log, options));
      if (options.json) printJson(results);
      else for (const { log, vkey, verified } of results) print(verdict(log, vkey, verified));
      if (options.vkey === undefined)
        tell(
          options.files === undefined
            ? 'the keys came from the gate itself: keep them (--vkey) to notice if they ever change'
            : 'the keys came with the copy: name those that you trust with --vkey',
        );
      if (results.some(({ verified }) => verified.outcome !== 'intact')) process.exitCode = exitCodes.refused;
    });

  withConnection(audit.command('proof [sequence]'))
    .description('the proof that a fact is in the record, or with --since that a log has only grown, on stdout')
    .option('--since <file>', 'a checkpoint that you kept')
    .option('--vkey <file>', 'the verifier keys that the growth is judged by')
    .action(async (sequence: string | undefined, options: Shared & { since?: string; vkey?: string }) => {
      if ((sequence === undefined) === (options.since === undefined))
        throw new CommandFailure('name the sequence of a fact, or a checkpoint with --since', exitCodes.usage);
      if (options.since !== undefined) return proveGrowth(options.since, options);
      const response = await request(connect(options), `/audit/proof/${sequence}`);
      if (!response.ok) throw await failureOf(response);
      process.stdout.write(await response.text());
    });

  withConnection(audit.command('checkpoint'))
    .description('the newest checkpoint, to be kept where whoever runs this cannot change it')
    .addOption(oneLog('which log').default('facts'))
    .action(async (options: Shared & { log: LogName }) => {
      const note = await getOf(connect(options), options.log)('checkpoint');
      if (note === undefined) throw new CommandFailure(`${options.log} has not been sealed yet`);
      process.stdout.write(note);
    });

  withConnection(audit.command('copy <dir>'))
    .description(
      'write both logs as C2SP tlog-tiles, with keys, checkpoints and rows: all that verifying offline needs',
    )
    .addOption(oneLog(bothByDefault))
    .action(async (folder: string, options: Shared & OneLog) => {
      const to = connect(options);
      for (const log of chosenLogs(options.log)) {
        const bar = progress(log);
        const [kept, rows] = [keptLines(to, log), rowLines(to, log)];
        const size = await copyLog(join(folder, log), { get: getOf(to, log), kept, rows, onProgress: bar.at });
        bar.done();
        tell(`${log}: ${size} entries in ${join(folder, log)}`);
      }
    });
};

const verifyOne = async (log: LogName, { files, since = [], vkey: keyFile, rows, ...options }: Verifying) => {
  const earlier = checkpointsIn(since, log);
  const bar = progress(log);
  const finish = (vkey: string, verified: Verified) => {
    bar.done();
    return { log, vkey, verified };
  };
  if (files !== undefined) {
    const folder = join(files, log);
    const vkey = await keysOf(filesIn(folder), log, keyFile);
    return finish(vkey, await verifyFolder(folder, log, { vkey, earlier, onProgress: bar.at }));
  }
  const to = connect(options);
  const get = getOf(to, log);
  const vkey = await keysOf(get, log, keyFile);
  const verified = await verifyLog({
    get,
    vkey,
    earlier,
    kept: mapped(keptLines(to, log), parseKeptCheckpoint),
    ...(rows && { rows: { log, served: mapped(rowLines(to, log), parseServedRow) } }),
    onProgress: bar.at,
  });
  return finish(vkey, verified);
};

const verdict = (log: string, vkey: string, verified: Verified): string => {
  const name = log.padEnd(9);
  if (verified.outcome === 'intact') {
    const { size, root } = verified.checkpoint;
    const keys = vkey.split('\n').map((key) => `\n          key ${key}`);
    const gone =
      verified.prunedBefore === undefined ? '' : `, pruned before ${verified.prunedBefore} as a signed fact says`;
    return `${name} intact: ${size} entries${gone}, root ${Buffer.from(root).toString('base64')}${keys.join('')}`;
  }
  const place = 'index' in verified && verified.index !== undefined ? ` (entry ${verified.index})` : '';
  const more = verified.outcome === 'altered' ? (verified.rows ?? []).slice(1) : [];
  return [
    `${name} NOT INTACT: ${verified.why}${place}`,
    ...more.map((finding) => `          ${findingText(finding)} (entry ${finding.index})`),
  ].join('\n');
};

/** Prints the proof when the log has grown; ends in 1 and names the fork otherwise. */
const proveGrowth = async (file: string, options: Shared & { vkey?: string }): Promise<void> => {
  const to = connect(options);
  for (const log of logNames)
    for (const earlier of checkpointsIn([file], log)) {
      const keys = await parseVkeys(await keysOf(getOf(to, log), log, options.vkey));
      if (keys === undefined) throw new CommandFailure('the verifier key is no Ed25519 key of a signed note');
      const proof = await growthText(to, log, earlier);
      const judged = await verifyGrowth(proof, earlier, keys);
      if (judged.outcome !== 'grown') throw new CommandFailure(`${log} ${judged.outcome}: ${judged.why}`);
      process.stdout.write(proof);
      tell(`${log} has only grown: from ${judged.from.size} entries to ${judged.to.size}`);
      return;
    }
  throw new CommandFailure(`${file} holds no checkpoint of facts or decisions`);
};
