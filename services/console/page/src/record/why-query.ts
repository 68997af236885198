/** A decision's own question, to be asked again. */
import type { DecisionRecord } from '@postern/schemas';

/** The same call once more, as of what was known then, under the circumstances of then. */
export const whyQuery = (decision: DecisionRecord): Readonly<Record<string, string>> => {
  const {
    principal,
    credential,
    method,
    path,
    at,
    sequence,
    ip = '',
    country = '',
    acr = '',
    amr = [],
    scopes,
  } = decision;
  return {
    subject: credential ?? principal ?? '',
    method,
    path,
    at: sequence === undefined || sequence === 0 ? '' : String(sequence),
    time: at,
    ip,
    country,
    acr,
    amr: amr.join(','),
    scopes: scopes?.join(',') ?? '',
  };
};
