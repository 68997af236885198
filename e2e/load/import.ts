/**
 * What it costs to bring an organisation by SCIM Bulk, through the gate, into a started product.
 *
 *   node e2e/load/import.ts [--people 50000] [--memberships 250000] [--gate http://… --key psk_…]
 *
 * Without a gate it starts one of its own and throws it away. It prints the rates of a first and of a second import, which has to
 * change nothing; it asserts nothing of time: a machine with other work on it says little.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ownWorld } from '../world/own-api.ts';
import { things } from '../world/things.ts';
import { bring, type Progress, type Size, type Target } from './scim-import.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '50000' },
    memberships: { type: 'string', default: '250000' },
    gate: { type: 'string' },
    key: { type: 'string' },
  },
});
const size: Size = { people: Number(values.people), memberships: Number(values.memberships) };
await using world = values.gate === undefined ? await ownWorld(things()) : undefined;
await world?.start();
const target: Target = {
  gate: values.gate ?? world?.gate ?? '',
  key: values.key ?? (await world?.key()) ?? '',
};
const pid = world?.running().process.pid;

const number = (value: number): string => Math.round(value).toLocaleString('en');
const memory = async (): Promise<number> =>
  pid === undefined
    ? Number.NaN
    : Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1] ?? Number.NaN) /
      1_000;
const head = async (): Promise<number> => {
  const response = await fetch(`${target.gate}/.postern/roles`, {
    headers: { 'x-api-key': target.key },
  });
  return ((await response.json()) as { sequence: number }).sequence;
};

let peak = 0;
const bar =
  (began: number) =>
  (progress: Progress): void => {
    const share = progress.done / progress.of;
    const width = 30;
    const perSecond = progress.done / ((performance.now() - began) / 1_000);
    void memory().then((mb) => {
      peak = Math.max(peak, Number.isNaN(mb) ? 0 : mb);
    });
    process.stderr.write(
      `\r${'█'.repeat(Math.round(share * width)).padEnd(width, '·')} ${(100 * share).toFixed(0).padStart(3)} %  ${number(progress.done)} of ${number(progress.of)}  ${number(perSecond)}/s   `,
    );
  };

process.stdout.write(
  `${number(size.people)} people, ${number(size.memberships)} memberships; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}\n`,
);
for (const name of ['first import', 'the same again']) {
  const before = await head();
  const began = performance.now();
  const { created, failed, failures } = await bring(target, size, bar(began));
  const seconds = (performance.now() - began) / 1_000;
  const facts = (await head()) - before;
  const told = created > 0 ? size.people + size.memberships : 0;
  process.stderr.write('\r\u001b[K');
  process.stdout.write(
    `${name}: ${seconds.toFixed(1)} s, ${number(created)} created, ${number(failed)} failed, ${number(facts)} facts (${number(facts / seconds)}/s)` +
      `${told > 0 ? `, people and memberships ${number(told / seconds)}/s` : `, ${number((size.people + size.memberships) / seconds)} compared/s`}; at most ${number(peak)} MB\n`,
  );
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
}
