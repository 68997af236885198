/** The public formats: C2SP tlog-tiles, the verifier key, and proofs as single files. */
import type { AuditReader, SealedCheckpoint } from '@postern/audit-store';
import {
  parseTilePath,
  proveInclusion,
  type Tile,
  tileSpan,
  tileWidth,
  treeHasTile,
  vkeyText,
  writeBundle,
  writeProof,
} from '@postern/schemas/tlog';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { sha256 } from '../sha256.ts';
import { count, missing, plainText as text } from './answers.ts';
import { historyRoutes } from './history.ts';
import type { PublishedLog } from './published-log.ts';

export type LogRoutesDeps = { readonly reader: AuditReader; readonly logs: readonly PublishedLog[] };

const entryTypes = { facts: 'application/cloudevents+json', decisions: 'application/octet-stream' } as const;

export const logRoutes = (app: FastifyInstance, { reader, logs }: LogRoutesDeps): void => {
  /** What is published ends at the newest checkpoint: what is not signed yet cannot be proven yet. */
  const sealed = async ({ name }: PublishedLog): Promise<SealedCheckpoint> =>
    (await reader.checkpoint(name)) ?? missing(`${name} has not been sealed yet`);

  const prove = async (log: PublishedLog, index: number): Promise<string> => {
    const { size, note } = await sealed(log);
    if (index >= size) missing(`${log.name} is sealed up to ${size} entries; ${index} lies behind`);
    await log.tree.grow(size);
    return writeProof({ index, path: await proveInclusion(sha256, log.tree.subtree, index, size), checkpoint: note });
  };

  for (const log of logs) {
    const { name } = log;
    historyRoutes(app, reader, log);
    app.get(`/log/${name}/checkpoint`, async (_, reply) => {
      const { note } = await sealed(log);
      return reply.type(text).header('cache-control', 'private, max-age=1').send(note);
    });
    app.get(`/log/${name}/vkey`, async (_, reply) =>
      reply.type(text).send(
        log
          .keys()
          .map((key) => `${vkeyText(key)}\n`)
          .join(''),
      ),
    );
    app.get<{ Params: { '*': string } }>(`/log/${name}/tile/*`, async ({ params }, reply) => {
      const tile = parseTilePath(`tile/${params['*']}`);
      const { size } = await sealed(log);
      if (tile === undefined || !treeHasTile(tile, size)) missing(`${name} has no tile ${params['*']}`);
      else {
        await log.tree.grow(size);
        return forever(reply)
          .type('application/octet-stream')
          .send(await tileBytes(reader, log, tile));
      }
    });
    app.get<{ Params: { index: string } }>(`/log/${name}/proof/:index`, async ({ params }, reply) =>
      reply.type(text).send(await prove(log, count(params.index))),
    );
    app.get<{ Params: { index: string } }>(`/log/${name}/entry/:index`, async ({ params }, reply) => {
      const index = count(params.index);
      const [bytes] = await reader.entries(name, index, index + 1);
      return forever(reply)
        .type(entryTypes[name])
        .send(Buffer.from(bytes ?? missing(`${name} holds no entry ${index}`)));
    });
  }
  app.get<{ Params: { sequence: string } }>('/proof/:sequence', async ({ params }, reply) => {
    const facts = logs.find(({ name }) => name === 'facts');
    const sequence = count(params.sequence);
    if (facts === undefined || sequence < 1) return missing('the first fact has sequence 1');
    return reply.type(text).send(await prove(facts, sequence - 1));
  });
};

const tileBytes = async (reader: AuditReader, { name, tree }: PublishedLog, tile: Tile): Promise<Buffer> => {
  const from = tile.index * tileWidth;
  if (tile.level === 'entries') return Buffer.from(writeBundle(await reader.entries(name, from, from + tile.width)));
  if (tile.level === 0) return Buffer.concat(await reader.leaves(name, from, from + tile.width));
  const span = tileSpan(tile.level);
  const hashes: Uint8Array[] = [];
  for (let at = from; at < from + tile.width; at++) hashes.push(await tree.subtree(at * span, (at + 1) * span));
  return Buffer.concat(hashes);
};

// An entry and a tile never change; only callers who may read them come this far, so no shared cache may keep them.
const forever = (reply: FastifyReply): FastifyReply =>
  reply.header('cache-control', 'private, max-age=31536000, immutable').header('x-content-type-options', 'nosniff');
