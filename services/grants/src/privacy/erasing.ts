/**
 * What a `subject.erased` fact asks for, carried out: at the start for all that the log tells of, then for each as it comes. So an
 * instance that is killed between the fact and the deed finishes it, and a store that was brought back from a backup forgets again.
 */
import type { ProfileStore, SealedStore } from '@postern/profiles';
import type { Logger } from '@postern/runtime';
import { type Organisation, type PrincipalId, type Sequence, splitSubject } from '@postern/schemas';

export type Erasing = {
  /** Resolves once nothing of the subject in facts before `sequence` is kept. */
  readonly erase: (subject: PrincipalId, sequence: Sequence) => Promise<void>;
  /** Everything that the log says was erased. Never rejects: what fails is told, and tried at the next start. */
  readonly eraseAll: (organisation: Organisation) => Promise<void>;
};

export type ErasingDeps = {
  readonly profiles: Pick<ProfileStore, 'find' | 'write'>;
  readonly sealed: Pick<SealedStore, 'erase' | 'scrub'>;
  readonly log: Logger;
};

/** Somebody writes the profile at the same time so often, and no more. */
const triesMax = 10;

export const profileOf = async (profiles: Pick<ProfileStore, 'find'>, subject: PrincipalId) => {
  const { type, id } = splitSubject(subject);
  return type === 'user' ? (await profiles.find('User', 'id', [id]))[0] : undefined;
};

export const erasing = ({ profiles, sealed, log }: ErasingDeps): Erasing => {
  const eraseProfile = async (subject: PrincipalId, sequence: Sequence): Promise<void> => {
    for (let tries = 0; tries < triesMax; tries++) {
      const profile = await profileOf(profiles, subject);
      // Written later: of somebody who came back.
      if (profile === undefined || profile.writtenAt >= sequence) return;
      const { kind, id, version } = profile;
      const [written] = await profiles.write([{ change: 'delete', kind, id, expected: version }]);
      if (written === 'written') return sealed.scrub();
    }
    throw new Error(`the profile of ${subject} was written again and again`);
  };
  const erase = async (subject: PrincipalId, sequence: Sequence): Promise<void> => {
    await eraseProfile(subject, sequence);
    await sealed.erase(subject, sequence);
  };
  return {
    erase,
    eraseAll: async ({ privacy }) => {
      for (const [subject, sequence] of privacy.erased)
        await erase(subject, sequence).catch((error) =>
          log.error({ err: error, subject, sequence }, 'what the log says was erased is still kept'),
        );
    },
  };
};
