/** What a configuration says of the record, opened: the same for the room by itself and for the room in a process with others. */
import { hostname } from 'node:os';
import {
  auditStoreUrl,
  dataFolder,
  type LoadedConfig,
  readOrMakeSecret,
  requireSecret,
  within,
} from '@postern/runtime';
import { Problem } from '@postern/schemas';
import { parseWitnessVkey } from '@postern/schemas/tlog';
import { fileAnchors } from './anchor.ts';
import { makeSigningKey, parseSigningKeys } from './signing-key.ts';
import type { OutsideWitness } from './witness/ask.ts';

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
    config: {
      origin: audit.origin,
      keeping: { instance: `audit-${hostname()}` },
      retention: { policy: { facts: audit.retention.facts, decisions: audit.retention.decisions } },
      witnesses: await witnessesOf(loaded),
      ...(audit.quorum !== undefined && { quorum: audit.quorum }),
    },
  };
};

const witnessesOf = async ({ config: { audit }, file, lineOf }: LoadedConfig): Promise<readonly OutsideWitness[]> => {
  const bad = (path: readonly PropertyKey[], what: string, fix: string): Problem =>
    new Problem('runtime/bad-config', { detail: `${file}:${lineOf(['audit', ...path])}: ${what}`, fix });
  const witnesses: OutsideWitness[] = [];
  for (const [at, { url, vkey }] of audit.witnesses.entries()) {
    const key = await parseWitnessVkey(vkey);
    if (key === undefined)
      throw bad(
        ['witnesses', at, 'vkey'],
        `${vkey} is no verifier key of a witness`,
        'Write the key that the witness gives, of type 0x04.',
      );
    witnesses.push({ url, key });
  }
  if ((audit.quorum ?? 1) > Math.max(1, witnesses.length))
    throw bad(
      ['quorum'],
      `${audit.quorum} of ${witnesses.length} witnesses can never sign`,
      'Name more witnesses, or fewer.',
    );
  return witnesses;
};
