/** `relationships/digest`: which relationships the engine holds, as one hash, and at which place of the log it stands. */
import { hash } from 'node:crypto';
import type { Relationships } from '@postern/relationships';
import { Problem, relationshipsText } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import type { Projection } from './projection.ts';
import { reachedOrRefuse } from './search.ts';

export type DigestDeps = {
  readonly engine: Pick<Relationships, 'read' | 'reached'>;
  readonly projection: Pick<Projection, 'reached' | 'notReady'>;
};

/** Facts come while it is read: then it is read again. */
const attemptsMax = 5;

export const digestRoute = (app: FastifyInstance, { engine, projection }: DigestDeps): void => {
  app.get('/.postern/relationships/digest', async () => {
    reachedOrRefuse(projection);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const before = await engine.reached();
      const held = await Array.fromAsync(engine.read());
      const { sequence, place } = await engine.reached();
      if (place !== undefined && place === before.place)
        return { sequence, relationships: held.length, sha256: hash('sha256', relationshipsText(held), 'hex') };
    }
    throw new Problem('authorizer/behind', { detail: 'the engine moves while it is read; ask again' });
  });
};
