/** What the routes of the public formats answer alike. */
import { Problem } from '@postern/schemas';

export const plainText = 'text/plain; charset=utf-8';

/** Throws `audit/no-such-record` for text that is no index or size. */
export const count = (digits: string): number =>
  /^(0|[1-9]\d{0,14})$/.test(digits) ? Number(digits) : missing(`${digits.slice(0, 40)} is no index`);

export const missing = (detail: string): never => {
  throw new Problem('audit/no-such-record', { detail });
};
