/** What the console takes of the configuration. */
import { randomBytes } from 'node:crypto';
import { dataFolder, type LoadedConfig, readOrMakeSecret, requireSecret, within } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import { type SealKey, sealKeyBytes } from './sealed.ts';

/** Where people's browsers reach the gate: as configured, or the gate's own address, by both of its names on this machine. */
export const consoleOrigins = ({ config }: LoadedConfig): readonly string[] => {
  if (config.console.origins !== undefined) return config.console.origins;
  const scheme = config.tls === undefined ? 'http' : 'https';
  const own = new URL(`${scheme}://${config.listen}`).origin;
  const named = own.replace('//127.0.0.1', '//localhost');
  return named === own ? [own] : [own, named];
};

/** Rejects with `runtime/bad-config` where the file holds no such key. */
export const sealKeyOf = async (loaded: LoadedConfig): Promise<SealKey> => {
  const { sealKeyFile } = loaded.config.console;
  const file = sealKeyFile === undefined ? `${dataFolder(loaded)}/console.key` : within(loaded.folder, sealKeyFile);
  const key =
    sealKeyFile === undefined
      ? await readOrMakeSecret(file, () => randomBytes(sealKeyBytes).toString('base64url'))
      : await requireSecret(file);
  if (Buffer.from(key, 'base64url').length !== sealKeyBytes)
    throw new Problem('runtime/bad-config', {
      detail: `${file} holds no key of ${sealKeyBytes} bytes in base64url`,
      fix: 'Make one: node -p "crypto.randomBytes(32).toString(\'base64url\')"',
    });
  return key;
};
