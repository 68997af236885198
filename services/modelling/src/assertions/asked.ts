/** One question of an assertion, and its answer. */
import type { Answer, Context, CredentialId, Endpoint, PrincipalId } from '@postern/schemas';
import type { Called } from './calls.ts';

export type Subject = PrincipalId | CredentialId;
export type Asking = {
  /** All of them have to be allowed. */
  readonly subjects: readonly Subject[];
  readonly context: Context;
  /** OAuth scopes of the token; undefined: it is not delegated. */
  readonly scopes?: readonly string[];
  readonly called: Extract<Called, { endpoints: unknown }>;
};
export type Asked = Asking & {
  /** The joint one of all endpoints that are called. */
  readonly answer: Answer;
  /** The endpoint that is refused first, or the first one. */
  readonly endpoint: Endpoint;
  /** What the token lacks of an endpoint that is called: refused, whatever the graph says. */
  readonly lacking?: { readonly endpoint: Endpoint; readonly scopes: readonly string[] };
  /** Who holds which object (`user:bob employee:42#view`) by relationships of the object alone. */
  readonly related: ReadonlySet<string>;
};

export const isAllowed = ({ answer, lacking }: Asked): boolean => answer.outcome === 'allow' && lacking === undefined;
