/** /notices: how each subscription is; sending again from a sequence, going on after a 410, trying out. */
import { Sequence } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Notices } from './notices.ts';

const Replay = z.strictObject({ from: Sequence });
type Named = { Params: { name: string } };

export const noticeRoutes = (app: FastifyInstance, { notices }: { readonly notices: Notices }): void => {
  app.get('/notices', async () => ({ items: await notices.all() }));
  app.post<Named>('/notices/:name/replay', async (request) =>
    notices.replay(request.params.name, Replay.parse(request.body).from),
  );
  app.post<Named>('/notices/:name/resume', async (request) => notices.resume(request.params.name));
  app.post<Named>('/notices/:name/test', async (request) => notices.test(request.params.name));
};
