/** What a token is kept and looked up by: never itself, but for the few that come again and again. */
import { hash } from 'node:crypto';

/** Finding a text costs a tenth of hashing it. Whoever sends ever new tokens pays the hash, and nobody else's is kept out for long. */
const recentMax = 1_000;
const recent = new Map<string, string>();

export const tokenDigest = (token: string): string => {
  const known = recent.get(token);
  if (known !== undefined) return known;
  const digest = hash('sha256', token, 'base64url');
  if (recent.size >= recentMax) recent.clear();
  recent.set(token, digest);
  return digest;
};
