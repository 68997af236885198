/** The question of RFC 7662 §2.1, as one HTTP request. */
import { requireSecret } from '@postern/runtime';
import type { Introspection } from '@postern/schemas';
import { parseStrictText } from '../gate/strict-json.ts';
import type { Claims } from './claims.ts';

export type Answered = { readonly claims: Claims } | { readonly unanswered: string };
/** Never rejects. */
export type Ask = (about: Introspection, token: string) => Promise<Answered>;

const answerBytesMax = 100_000;

export const askAbout: Ask = async ({ endpoint, clientId, clientSecretFile, clientAuth, timeoutMs }, token) => {
  try {
    const secret = await requireSecret(clientSecretFile);
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    const headers: Record<string, string> = { accept: 'application/json' };
    if (clientAuth === 'post') {
      form.set('client_id', clientId);
      form.set('client_secret', secret);
    } else headers['authorization'] = `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(secret)}`)}`;
    const response = await fetch(endpoint, {
      method: 'POST',
      body: form,
      headers,
      // A redirect would carry the token to wherever it leads.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { unanswered: `it answered ${response.status}` };
    }
    const text = await boundedText(response);
    if (text === undefined) return { unanswered: 'its answer is too large' };
    const read = parseStrictText(text);
    if ('why' in read || typeof read.value !== 'object' || read.value === null || Array.isArray(read.value))
      return { unanswered: 'its answer is not a JSON object' };
    return { claims: read.value as Claims };
  } catch (error) {
    return {
      unanswered: (error as Error).name === 'TimeoutError' ? 'it does not answer in time' : 'it does not answer',
    };
  }
};

const boundedText = async (response: Response): Promise<string | undefined> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
