/** Standard Webhooks: each notice is signed with every secret there is, so that a receiver may change from one to the next at leisure. */
import { readFile } from 'node:fs/promises';
import { type NoticeSubscription, Problem } from '@postern/schemas';
import { Webhook } from 'standardwebhooks';

/** 24 to 64 octets, as the specification asks for. */
const secretText = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

export type ReadSecrets = () => Promise<readonly string[]>;

/** Rejects with `runtime/bad-config` where there is none, or one that is no such secret; never says what it is. */
export const secretsOf = async (
  { name, secretFile = [], secretEnv = [] }: Pick<NoticeSubscription, 'name' | 'secretFile' | 'secretEnv'>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly string[]> => {
  const secrets: string[] = [];
  const take = (from: string, text: string): void => {
    for (const line of text.split('\n').map((each) => each.trim())) {
      if (line === '' || line.startsWith('#')) continue;
      if (!secretText.test(line)) throw bad(name, `${from} holds a line that is no secret`);
      secrets.push(line);
    }
  };
  for (const file of [secretFile].flat())
    take(
      file,
      await readFile(file, 'utf8').catch((cause: unknown) => {
        throw bad(name, `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
      }),
    );
  for (const variable of [secretEnv].flat()) {
    const text = environment[variable];
    if (text === undefined) throw bad(name, `the environment variable ${variable} is not set`);
    take(variable, text);
  }
  if (secrets.length === 0) throw bad(name, 'there is no secret');
  return secrets;
};

const bad = (name: string, what: string): Problem =>
  new Problem('runtime/bad-config', {
    detail: `notices ${name}: ${what}`,
    fix: 'Write whsec_ and the base64 of 24 to 64 random octets: echo "whsec_$(openssl rand -base64 32)".',
  });

/** The headers of one attempt; `id` is the same at every attempt. */
export const signedHeaders = (
  secrets: readonly string[],
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
  'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, new Date(nowMs), body)).join(' '),
});
