/** `GET retention`: the policy that is published. `POST prune`: now, by that policy. `GET log/decisions/pruned`: what is gone, and why. */
import type { AuditReader } from '@postern/audit-store';
import { caller } from '@postern/runtime';
import type { PrunedText } from '@postern/schemas/record';
import { proveInclusion, writeProof } from '@postern/schemas/tlog';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { sha256 } from '../sha256.ts';
import type { LogTree } from '../tree.ts';
import { standingHolds } from './prefix.ts';
import type { Retention } from './retention.ts';

const Ask = z.strictObject({ dryRun: z.boolean().default(false) });

export const retentionRoutes = (
  app: FastifyInstance,
  {
    retention,
    reader,
    facts,
  }: { readonly retention: Retention; readonly reader: AuditReader; readonly facts: LogTree },
): void => {
  app.get('/retention', async (_, reply) => {
    reply.header('cache-control', 'no-store');
    const [applied, told] = [await retention.applied(), await retention.told()];
    const { size: factsSize } = await reader.find('facts', { limit: 1 });
    const { size, rows } = await reader.find('decisions', { order: 'oldest', limit: 1 });
    return {
      policy: retention.policy,
      since: applied === undefined ? null : { sequence: applied.sequence, at: applied.at },
      logs: {
        facts: { entries: factsSize, prunedBefore: 0 },
        decisions: { entries: size, prunedBefore: await reader.prunedBefore('decisions'), oldest: rows[0]?.at ?? null },
      },
      pruned: told === undefined ? null : { ...told, sequence: told.index + 1 },
      holds: (await standingHolds(reader)).filter(({ on }) => on.log !== 'facts'),
    };
  });

  app.post('/prune', async (request, reply) => {
    const { dryRun } = Ask.parse(request.body ?? {});
    const { sub, credential } = caller(request);
    const actor = { authtype: credential === undefined ? 'user' : 'api_key', authid: sub } as const;
    reply.header('cache-control', 'no-store');
    return retention.prune({ dryRun, actor });
  });

  for (const log of ['facts', 'decisions'] as const)
    app.get(`/log/${log}/pruned`, async (_, reply): Promise<PrunedText> => {
      reply.header('cache-control', 'no-store');
      const before = log === 'facts' ? 0 : await reader.prunedBefore(log);
      const checkpoint = await reader.checkpoint('facts');
      const told = checkpoint && (await retention.told(checkpoint.size));
      if (before === 0 || checkpoint === undefined || told === undefined) return { before };
      const { index } = told;
      const [entry] = await reader.entries('facts', index, index + 1);
      await facts.grow(checkpoint.size);
      const path = await proveInclusion(sha256, facts.subtree, index, checkpoint.size);
      const proof = writeProof({ index, path, checkpoint: checkpoint.note });
      return { before, fact: { index, entry: new TextDecoder().decode(entry), proof } };
    });
};
