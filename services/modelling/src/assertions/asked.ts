/** One question of an assertion, and its answer. */
import type { Answer, Context, CredentialId, PrincipalId } from '@postern/schemas';
import type { Called } from './calls.ts';

export type Subject = PrincipalId | CredentialId;
export type Asking = {
  /** All of them have to be allowed. */
  readonly subjects: readonly Subject[];
  readonly context: Context;
  readonly called: Extract<Called, { endpoint: unknown }>;
};
export type Asked = Asking & { readonly answer: Answer };
