/** feeds import: a file of events, sent in batches in its own order. What was taken before is known, so it may be sent again at any time. */
import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandFailure, type Connection, failureOf, request } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { print, printJson, progress, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Result = {
  readonly id?: string;
  readonly repeated?: boolean;
  readonly problem?: { readonly status: number; readonly title: string; readonly detail?: string };
};
type Answer = { readonly results: readonly Result[] };
type Line = { readonly number: number; readonly event: object };

/** One batch is one body; the gate takes no larger ones for Postern's own API than 4 MiB. */
const batchMax = { events: 1_000, bytes: 3_000_000 };
const retry = { forMs: 120_000, everyMs: 1_000 };
const toldMax = 10;

export const importCommand = (feeds: Command): void => {
  withConnection(feeds.command('import <file>'))
    .description('send a file of CloudEvents, one a line ("-" for standard input); sent again it changes nothing')
    .action(async (file: string, options: Shared) => {
      const gate = connect(options);
      const count = { taken: 0, repeated: 0, refused: 0 };
      const refused: string[] = [];
      const refuse = (why: string): void => {
        count.refused++;
        if (refused.length < toldMax) refused.push(why);
      };
      const bar = progress('importing');
      const total = file === '-' ? 0 : sizeOf(file);
      let bytes = 0;
      for await (const { lines, read } of batches(file, refuse)) {
        const { results } = await send(gate, lines);
        for (const [at, { problem, repeated }] of results.entries())
          if (problem !== undefined) refuse(`line ${lines[at]?.number}: ${problem.title}: ${problem.detail ?? ''}`);
          else if (repeated === true) count.repeated++;
          else count.taken++;
        bytes += read;
        bar.at(bytes, Math.max(total, bytes));
      }
      bar.done();
      if (options.json) printJson(count);
      else print(`${count.taken} taken, ${count.repeated} known already, ${count.refused} refused`);
      for (const each of refused) tell(each);
      if (count.refused > refused.length) tell(`and ${count.refused - refused.length} more`);
      if (count.refused > 0)
        throw new CommandFailure(
          'what was refused lies in quarantine: postern feeds quarantine list',
          exitCodes.refused,
        );
    });
};

const sizeOf = (file: string): number => {
  try {
    return statSync(file).size;
  } catch {
    throw new CommandFailure(`${file} cannot be read`, exitCodes.usage);
  }
};

async function* batches(file: string, refuse: (why: string) => void) {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let lines: Line[] = [];
  let size = 0;
  let read = 0;
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    const bytes = Buffer.byteLength(text) + 1;
    if (lines.length > 0 && (lines.length >= batchMax.events || size + bytes > batchMax.bytes)) {
      yield { lines, read };
      [lines, size, read] = [[], 0, 0];
    }
    read += bytes;
    if (text.trim() === '') continue;
    const event = parsed(text);
    if (event === undefined) {
      refuse(`line ${number}: not a JSON object`);
      continue;
    }
    lines.push({ number, event });
    size += bytes;
  }
  if (lines.length > 0) yield { lines, read };
}

const parsed = (text: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Until it has been taken: while the gate or its log is away the same batch is sent again, and what of it was taken is known. */
const send = async (gate: Connection, lines: readonly Line[]): Promise<Answer> => {
  for (let waitedMs = 0; ; waitedMs += retry.everyMs) {
    let failure: CommandFailure;
    try {
      const response = await request(gate, '/events', {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: lines.map(({ event }) => event),
      });
      if (response.ok) {
        const answer = (await response.json()) as Answer;
        const away = answer.results.find(({ problem }) => problem !== undefined && problem.status >= 500)?.problem;
        if (away === undefined) return answer;
        failure = new CommandFailure(`${away.title}: ${away.detail ?? ''}`, exitCodes.couldNotAsk);
      } else failure = await failureOf(response);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      failure = error;
    }
    if (failure.exitCode !== exitCodes.couldNotAsk || waitedMs >= retry.forMs)
      throw new CommandFailure(
        `${failure.message}\nstopped at line ${lines[0]?.number}; send the file again: what was taken is known`,
        failure.exitCode,
      );
    await sleep(retry.everyMs);
  }
};
