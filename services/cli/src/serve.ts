/** One room by itself: only that room's code is loaded. */
import type { LoadedConfig } from '@postern/runtime';
import type { Room } from '@postern/schemas';

const mains = {
  proxy: () => import('@postern/proxy/main'),
  authorizer: () => import('@postern/authorizer/main'),
  grants: () => import('@postern/grants/main'),
  audit: async () => {
    const [{ serve: serveAudit }, { questionsOver }] = await Promise.all([
      import('@postern/audit/main'),
      import('@postern/authorizer/app'),
    ]);
    return { serve: (loaded: LoadedConfig) => serveAudit(loaded, questionsOver) };
  },
  console: () => import('@postern/console/main'),
} satisfies Record<Room | 'proxy', () => Promise<{ serve: (loaded: LoadedConfig) => Promise<void> }>>;

export const serve = async (room: keyof typeof mains, loaded: LoadedConfig): Promise<void> =>
  (await mains[room]()).serve(loaded);
