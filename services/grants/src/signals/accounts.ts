/**
 * Which address means whom, as a file says; read anew when it changes. That an address changed hands stands in the log, where no address
 * does: with the principal it meant, and with the file as it was. Until that is changed the principal's addresses in it mean nobody.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mistakeText, readYamlFile } from '@postern/runtime';
import { PrincipalId, Problem } from '@postern/schemas';
import { z } from 'zod';
import type { Accounts } from './subjects.ts';

const File = z.record(z.string().min(3), PrincipalId);

export type KnownAccounts = {
  readonly of: Accounts;
  /** Of the file as it is now: SHA-256, base64url. */
  readonly digest: () => string;
};

/** Throws `runtime/bad-config` where the file cannot be read. */
export const knownAccounts = (
  file: string | undefined,
  haveChangedHands: (principal: PrincipalId, digest: string) => boolean,
): KnownAccounts => {
  if (file === undefined) return { of: () => undefined, digest: () => '' };
  let read = { text: '', digest: '', accounts: new Map<string, PrincipalId>() };
  let changedAt = Number.NEGATIVE_INFINITY;
  const refresh = (): void => {
    const { mtimeMs } = statSync(file);
    if (mtimeMs === changedAt) return;
    const text = readFileSync(file, 'utf8');
    if (text !== read.text) {
      const found = readYamlFile(file, File);
      if (found.outcome !== 'read')
        throw new Problem('runtime/bad-config', {
          detail: found.outcome === 'unreadable' ? `${file}: ${found.why}` : found.mistakes.map(mistakeText).join('\n'),
        });
      read = {
        text,
        digest: createHash('sha256').update(text).digest('base64url'),
        accounts: new Map(Object.entries(found.value).map(([account, id]) => [account.toLowerCase(), id])),
      };
    }
    changedAt = mtimeMs;
  };
  refresh();
  return {
    of: (account) => {
      refresh();
      const principal = read.accounts.get(account);
      return principal === undefined || haveChangedHands(principal, read.digest) ? undefined : principal;
    },
    digest: () => read.digest,
  };
};
