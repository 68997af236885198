/** What a configuration says of the record, opened: the same for the room by itself and for the room in a process with others. */
import {
  auditStoreUrl,
  dataFolder,
  type LoadedConfig,
  readOrMakeSecret,
  requireSecret,
  within,
} from '@postern/runtime';
import { fileAnchors } from './anchor.ts';
import { makeSigningKey, parseSigningKeys } from './signing-key.ts';

/** Rejects with `runtime/bad-config`. */
export const auditParts = async (loaded: LoadedConfig) => {
  const { audit } = loaded.config;
  const text =
    audit.key === undefined
      ? await readOrMakeSecret(`${dataFolder(loaded)}/audit.key`, makeSigningKey)
      : await requireSecret(within(loaded.folder, audit.key));
  return {
    deps: {
      signingKeys: parseSigningKeys(text),
      // A record in memory is meant to be gone with its process.
      ...(!auditStoreUrl(loaded).startsWith('memory:') && {
        anchors: fileAnchors(audit.anchor === undefined ? dataFolder(loaded) : within(loaded.folder, audit.anchor)),
      }),
    },
    config: { origin: audit.origin },
  };
};
