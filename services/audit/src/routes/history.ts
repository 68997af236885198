/** What a log has signed of itself: every checkpoint, and the proof that between two of them it has only grown. */
import { Readable } from 'node:stream';
import type { AuditReader, KeptCheckpoint } from '@postern/audit-store';
import { describeZod } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import { proveConsistency, writeConsistency } from '@postern/schemas/tlog';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { sha256 } from '../sha256.ts';
import { missing, plainText } from './answers.ts';
import type { PublishedLog } from './published-log.ts';

const whole = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'write a whole number')
  .transform(Number);
const Range = z.strictObject({ from: whole, to: whole.optional() });
const Behind = z.strictObject({ after: whole.optional(), witnesses: whole.optional() });

const perRead = 1_000;

export const historyRoutes = (
  app: FastifyInstance,
  reader: Pick<AuditReader, 'checkpoints' | 'checkpointWith'>,
  log: PublishedLog,
): void => {
  const { name, tree } = log;
  /** `?after=N`: those behind the N-th. */
  app.get(`/log/${name}/checkpoints`, async ({ query }, reply) => {
    const asked = Behind.safeParse(query);
    if (!asked.success) throw new Problem('audit/bad-query', { detail: describeZod(asked.error) });
    const lines = async function* (): AsyncGenerator<string> {
      let after = asked.data.after ?? 0;
      for (let page = await reader.checkpoints(name, after, perRead); page.length > 0; ) {
        const told = page.filter(({ witnesses }) => witnesses >= (asked.data.witnesses ?? 0));
        yield told.map((each) => `${JSON.stringify(toLine(each))}\n`).join('');
        after = page.at(-1)?.number ?? after;
        page = await reader.checkpoints(name, after, perRead);
      }
    };
    return reply.type('application/x-ndjson').header('cache-control', 'no-store').send(Readable.from(lines()));
  });

  app.get(`/log/${name}/witnessed`, async (_, reply) => {
    const { note } =
      (await reader.checkpointWith(name, { witnesses: log.quorum })) ??
      missing(`${log.quorum} witnesses have not signed any checkpoint of ${name} yet`);
    return reply.type(plainText).header('cache-control', 'private, max-age=1').send(note);
  });

  /** `?from=SIZE&to=SIZE`: any smaller size, and a size that was signed; left out, the newest. */
  app.get(`/log/${name}/consistency`, async ({ query }, reply) => {
    const asked = Range.safeParse(query);
    if (!asked.success) throw new Problem('audit/bad-query', { detail: describeZod(asked.error) });
    const { from, to } = asked.data;
    const checkpoint =
      (await reader.checkpointWith(name, to === undefined ? {} : { size: to })) ??
      missing(
        to === undefined ? `${name} has not been sealed yet` : `no checkpoint of ${name} was signed at ${to} entries`,
      );
    const { size, note } = checkpoint;
    if (from > size) return missing(`${name} is sealed up to ${size} entries; ${from} lies behind`);
    await tree.grow(size);
    const path = await proveConsistency(sha256, tree.subtree, from, size);
    return reply.type(plainText).send(writeConsistency({ oldSize: from, path, checkpoint: note }));
  });
};

const toLine = ({ number, size, note, at, witnesses }: KeptCheckpoint) => ({ number, size, note, at, witnesses });
