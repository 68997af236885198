/** One room by itself: only that room's code is loaded. */
import type { LoadedConfig } from '@postern/runtime';
import type { Room } from '@postern/schemas';

const mains = {
  proxy: () => import('@postern/proxy/main'),
  authorizer: () => import('@postern/authorizer/main'),
  grants: () => import('@postern/grants/main'),
  audit: () => import('@postern/audit/main'),
} satisfies Record<Room | 'proxy', () => Promise<{ serve: (loaded: LoadedConfig) => Promise<void> }>>;

export const serve = async (room: keyof typeof mains, loaded: LoadedConfig): Promise<void> =>
  (await mains[room]()).serve(loaded);
