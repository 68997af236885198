/** What a delegated token may call at all, however much its owner may. */
import type { Endpoint } from './endpoint.ts';

/** Which of the endpoint's scopes a token lacks. A token without a scope claim (`undefined`) is not delegated, and lacks none. */
export const missingScopes = (
  scopes: readonly string[] | undefined,
  { scopes: asked = [] }: Pick<Endpoint, 'scopes'>,
): readonly string[] => (scopes === undefined ? [] : asked.filter((each) => !scopes.includes(each)));
