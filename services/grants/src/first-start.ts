/** The first start mints one administrator and its key, and shows the key once. */
import { type PrincipalId, posternAdmin, type SubjectId, systemActor } from '@postern/schemas';
import type { Commands } from './commands.ts';
import { newKey } from './routes/keys.ts';
import type { GrantsState } from './state.ts';

const administrator = 'user:admin' as PrincipalId & SubjectId;

/** The secret of a new administrator key; undefined where an administrator has been made before. */
export const firstStart = async (commands: Commands, state: GrantsState): Promise<string | undefined> => {
  if (state.organisation.principals.has(administrator)) return undefined;
  const actor = systemActor('first-start');
  const reason = 'first start';
  const { secret, credential, digest } = newKey();
  await commands({ command: { kind: 'join', principal: administrator, attributes: {}, reason }, actor });
  await commands({ command: { kind: 'issue-grant', subject: administrator, role: posternAdmin, reason }, actor });
  await commands({
    command: { kind: 'issue-key', credential, owner: administrator, digest, roles: [posternAdmin], reason },
    actor,
  });
  return secret;
};
