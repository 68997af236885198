/** Which address means whom, as a file says; read anew when it changes. An address that changed hands means nobody until then. */
import { readFileSync, statSync } from 'node:fs';
import { mistakeText, readYamlFile } from '@postern/runtime';
import { PrincipalId, Problem } from '@postern/schemas';
import { z } from 'zod';
import type { Accounts } from './subjects.ts';

const File = z.record(z.string().min(3), PrincipalId);

export type KnownAccounts = {
  readonly of: Accounts;
  /** Until the file is changed. */
  readonly bar: (account: string) => void;
};

/** Throws `runtime/bad-config` where the file cannot be read. */
export const knownAccounts = (file: string | undefined): KnownAccounts => {
  if (file === undefined) return { of: () => undefined, bar: () => {} };
  let read = { text: '', accounts: new Map<string, PrincipalId>() };
  let changedAt = Number.NEGATIVE_INFINITY;
  const barred = new Set<string>();
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
        accounts: new Map(Object.entries(found.value).map(([account, id]) => [account.toLowerCase(), id])),
      };
      barred.clear();
    }
    changedAt = mtimeMs;
  };
  refresh();
  return {
    of: (account) => {
      refresh();
      return barred.has(account) ? undefined : read.accounts.get(account);
    },
    bar: (account) => void barred.add(account),
  };
};
