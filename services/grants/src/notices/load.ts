/** The configured subscriptions, with the files they name made absolute, and their secrets and types known to be such. */
import { readFileSync } from 'node:fs';
import { badConfig, type FileMistake, type LoadedConfig, within } from '@postern/runtime';
import type { NoticeSubscription } from '@postern/schemas';
import { noticeTypes, typeFits } from './to-notice.ts';

/** Throws `runtime/bad-config` with a line for each mistake. */
export const loadNotices = ({ config, folder, file, lineOf }: LoadedConfig): readonly NoticeSubscription[] => {
  const mistakes: FileMistake[] = [];
  const subscriptions = config.notices.map((subscription, index): NoticeSubscription => {
    const at = (key: string, what: string, fix?: string): void => {
      mistakes.push({ file, line: lineOf(['notices', index, key]), what, ...(fix !== undefined && { fix }) });
    };
    for (const written of subscription.types ?? [])
      if (!noticeTypes.some((type) => typeFits(written, type)))
        at('types', `nobody is told of ${written}`, `there are ${noticeTypes.join(', ')}`);
    const files = [subscription.secretFile ?? []].flat().map((path) => within(folder, path));
    for (const path of files)
      try {
        readFileSync(path);
      } catch (error) {
        at('secretFile', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    for (const variable of [subscription.secretEnv ?? []].flat())
      if (process.env[variable] === undefined) at('secretEnv', `the environment variable ${variable} is not set`);
    return { ...subscription, ...(files.length > 0 && { secretFile: files }) };
  });
  if (mistakes.length > 0) throw badConfig(mistakes);
  return subscriptions;
};
