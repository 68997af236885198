/** audit monitor and witness: what a second party runs, to notice when a log is not the one that it was. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { makeSigningKey, witnessService } from '@postern/audit/app';
import { httpListener, openLogger, readOrMakeSecret, run, systemClock } from '@postern/runtime';
import { parseCheckpoint, parseConsistency, parseVkeys, verifyGrowth } from '@postern/schemas/tlog';
import { noTelemetry } from '@postern/telemetry';
import type { Command } from 'commander';
import { CommandFailure, type Connection } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { readTextFile, wholeNumber } from '../input.ts';
import { print, printJson, tell } from '../output.ts';
import { getOf, growthText, type LogName, logNames } from './audit-log.ts';
import { connect, type Shared, withConnection } from './connect.ts';

/** What a monitor keeps of each log: the keys that it saw first, and the newest checkpoint that held. */
type Watched = { readonly vkey: string; readonly checkpoint: string };
type State = Partial<Record<LogName, Watched>>;

export const watchCommands = (audit: Command): void => {
  withConnection(audit.command('monitor'))
    .description(
      'follow both logs and end with an alarm when one has not only grown: a fork, or a log that was set back',
    )
    .requiredOption('--state <file>', 'where what was seen is kept, out of reach of whoever runs the gate')
    .option('--vkey <file>', 'the verifier keys, one a line; otherwise those that the gate names the first time')
    .option('--every <seconds>', 'how often it looks', wholeNumber(1, 86_400), 60)
    .option('--once', 'look once, for cron')
    .action(async (options: Shared & { state: string; vkey?: string; every: number; once?: boolean }) => {
      const to = connect(options);
      for (;;) {
        await look(to, options).catch((error: unknown) => {
          const passing = error instanceof CommandFailure && error.exitCode === exitCodes.couldNotAsk;
          if (!passing || options.once === true) throw error;
          tell(error.message);
        });
        if (options.once === true) return;
        await pause(options.every * 1_000);
      }
    });

  audit
    .command('witness')
    .description('sign for others that their logs only grow (C2SP tlog-witness), on POST /add-checkpoint')
    .requiredOption('--name <name>', 'what it is called in its signatures, for instance witness.example.com/postern')
    .requiredOption('--logs <file>', 'the verifier keys of the logs, one a line')
    .requiredOption('--state <dir>', 'a folder of its own: its key, and what it has signed')
    .option('--listen <address>', 'HOST:PORT', '127.0.0.1:8090')
    .action(async ({ name, logs, state, listen }: { name: string; logs: string; state: string; listen: string }) => {
      const log = openLogger('info', 'postern-witness');
      const key = await readOrMakeSecret(`${state}/witness.key`, makeSigningKey);
      const witness = await witnessService({ name, key, logs: readTextFile(logs), state, clock: systemClock, log });
      print(witness.vkey);
      const services = [witness, httpListener(witness, listen)];
      await run({
        services,
        health: undefined,
        telemetry: noTelemetry,
        log,
        onReady: () => log.info({ listen }, 'ready'),
      });
    });
};

const readState = async (file: string): Promise<State> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CommandFailure(`${file} cannot be read: ${(error as Error).message}`);
  }
};

const writeState = async (file: string, state: State): Promise<void> => {
  await writeFile(`${file}.part`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.part`, file);
};

type Looked = { readonly log: LogName; readonly from: number; readonly to: number };

/** One look at both logs. Throws with exit code 3 where one contradicts what was seen, and then keeps what was seen. */
const look = async (
  to: Connection,
  { state: file, vkey, json }: { state: string; vkey?: string; json?: boolean },
): Promise<void> => {
  const state = await readState(file);
  const pinned = vkey === undefined ? undefined : readTextFile(vkey);
  const looked: Looked[] = [];
  for (const log of logNames) {
    const get = getOf(to, log);
    const note = await get('checkpoint');
    if (note === undefined) {
      if (state[log] !== undefined) throw alarm(log, 'it has no checkpoint any more', file, state[log].checkpoint, '');
      continue;
    }
    const newest = new TextDecoder().decode(note);
    const known =
      pinned
        ?.split('\n')
        .filter((line) => line.includes(`/${log}+`))
        .join('\n') ??
      state[log]?.vkey ??
      new TextDecoder().decode((await get('vkey')) ?? new Uint8Array());
    const keys = await parseVkeys(known);
    if (keys === undefined) throw new CommandFailure(`there is no verifier key of the ${log} log`);
    const before = state[log]?.checkpoint ?? newest;
    const proof = await growthText(to, log, before);
    const judged = await verifyGrowth(proof, before, keys);
    const seen = parseConsistency(proof)?.checkpoint ?? newest;
    if (judged.outcome !== 'grown') throw alarm(log, `${judged.outcome}: ${judged.why}`, file, before, seen);
    looked.push({ log, from: parseCheckpoint(before)?.size ?? 0, to: judged.to.size });
    state[log] = { vkey: known, checkpoint: seen };
    await writeState(file, state);
  }
  if (json === true) printJson(looked);
  else for (const { log, from, to } of looked) print(`${log.padEnd(9)} has only grown: from ${from} entries to ${to}`);
};

/** Both checkpoints are the evidence: each is signed, and they contradict each other. */
const alarm = (log: LogName, why: string, state: string, before: string, now: string): CommandFailure =>
  new CommandFailure(
    `ALARM: ${log} ${why}\nseen before (kept in ${state}):\n${before}\nseen now:\n${now}`,
    exitCodes.alarm,
  );
