/** Texts in place of their commitments, in whatever a room answers. */
import { type SealedTexts, showTexts } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';

/**
 * What is answered as a value is shown with its texts; what is answered as bytes, text or a stream is shown by whoever makes it. A
 * caller who asks with `texts=recorded` is answered as the log has it. Left out `texts`, everything is.
 */
export const showTextsIn = (app: FastifyInstance, texts: SealedTexts | undefined): void => {
  if (texts === undefined) return;
  app.addHook('preSerialization', async (request, _reply, payload) => {
    const asked = (request.query ?? {}) as Readonly<Record<string, unknown>>;
    return asked['texts'] === 'recorded' ? payload : showTexts(payload, texts);
  });
};
