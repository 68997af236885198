/** The configured transmitters, with the files they name made absolute and there. */
import { accessSync, constants } from 'node:fs';
import { badConfig, type FileMistake, type LoadedConfig, within } from '@postern/runtime';
import type { Transmitter } from '@postern/schemas';

/** Throws `runtime/bad-config` with a line for each file that is not there. */
export const loadTransmitters = ({ config, folder, file, lineOf }: LoadedConfig): readonly Transmitter[] => {
  const mistakes: FileMistake[] = [];
  const transmitters = config.signals.map((transmitter, index): Transmitter => {
    const there = (path: string, ...at: readonly PropertyKey[]): string => {
      const absolute = within(folder, path);
      try {
        accessSync(absolute, constants.R_OK);
      } catch {
        mistakes.push({ file, line: lineOf(['signals', index, ...at]), what: `${path} cannot be read` });
      }
      return absolute;
    };
    const { jwks, poll, stream, subjects } = transmitter;
    return {
      ...transmitter,
      ...(jwks?.startsWith('file:') &&
        !jwks.startsWith('file:/') && { jwks: `file:${there(jwks.slice('file:'.length), 'jwks')}` }),
      ...(poll?.authorizationFile !== undefined && {
        poll: { ...poll, authorizationFile: there(poll.authorizationFile, 'poll', 'authorizationFile') },
      }),
      ...(stream?.authorizationFile !== undefined && {
        stream: { ...stream, authorizationFile: there(stream.authorizationFile, 'stream', 'authorizationFile') },
      }),
      ...(subjects.accounts !== undefined && {
        subjects: { ...subjects, accounts: there(subjects.accounts, 'subjects', 'accounts') },
      }),
    };
  });
  if (mistakes.length > 0) throw badConfig(mistakes);
  return transmitters;
};
