/** The first start mints one administrator and its key, and shows the key once. */
import { isProblem, type PrincipalId, Problem, posternAdmin, type SubjectId, systemActor } from '@postern/schemas';
import type { Commands, Order } from './commands.ts';
import { isKey, keyDigest, newCredential, newSecret } from './routes/keys.ts';
import type { GrantsState } from './state.ts';

const administrator = 'user:admin' as PrincipalId & SubjectId;
const source = '/postern/first-start';

/** Where the administrator's key is kept. */
export type AdministratorKey = {
  /** Keeps a new key where it outlives this process; answers it, or the one that an earlier start kept which got no further. */
  readonly keep: (make: () => string) => Promise<string>;
  /** Another instance was first: what was kept opens nothing. */
  readonly discard: () => Promise<void>;
  /** The key is live now; called once in a log's life. */
  readonly issued: (secret: string) => void;
};

/**
 * A process may end between any two of these steps and the next start goes on where it ended: each step is in the log once, under
 * an inbound id of its own, and the key is on disk before the log knows it. Throws `runtime/bad-config` where another key's file is in the way.
 */
export const firstStart = async (commands: Commands, state: GrantsState, key: AdministratorKey): Promise<void> => {
  if (state.handled(source, 'key') !== undefined) return;
  const secret = await key.keep(newSecret);
  if (!isKey(secret))
    throw new Problem('runtime/bad-config', {
      detail: 'the file that is to keep the administrator’s key holds something else',
      fix: 'Move admin.key in the data folder away: a new one is made.',
    });
  const step = (id: string, command: Order['command'], digest = id) =>
    commands({ command, actor: systemActor('first-start'), inbound: { source, id, digest } });
  const reason = 'first start';
  const digest = keyDigest(secret);
  await step('join', { kind: 'join', principal: administrator, attributes: {}, reason });
  await step('grant', { kind: 'issue-grant', subject: administrator, role: posternAdmin, reason });
  try {
    const roles = [posternAdmin];
    const command = {
      kind: 'issue-key',
      credential: newCredential(),
      owner: administrator,
      digest,
      roles,
      reason,
    } as const;
    await step('key', command, digest);
    key.issued(secret);
  } catch (error) {
    if (!isProblem(error, 'grants/idempotency-conflict')) throw error;
    await key.discard();
  }
};
