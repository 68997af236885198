/** What an allowance opens, and how it is spoken of. */
import type { AccessClass, Allowance, Endpoint } from '@postern/schemas';
import type { Level, Rule } from '../report/finding.ts';

export type Say = (
  rule: Rule,
  level: Level,
  place: { readonly file: string; readonly line: number },
  what: string,
  fix?: string,
) => void;

/** A class of access includes the smaller ones, as gate.zed says. */
export const rank: Readonly<Record<AccessClass, number>> = { read: 0, write: 1, admin: 2 };

/** Does this allowance open the endpoint? An opaque endpoint has to be named. */
export const opens = (allowance: Allowance, service: string, endpoint: Endpoint): boolean => {
  if ('endpoint' in allowance) return allowance.endpoint === endpoint.id;
  if (!('service' in allowance) || endpoint.opaque === true) return false;
  return allowance.service === service && rank[endpoint.access] <= rank[allowance.access];
};

export const allowanceText = (allowance: Allowance): string =>
  'service' in allowance
    ? `${allowance.access} on ${allowance.service}`
    : 'endpoint' in allowance
      ? allowance.endpoint
      : JSON.stringify(allowance);
