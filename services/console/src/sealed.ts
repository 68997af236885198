/** What the room keeps in a browser so that it keeps nothing itself: encrypted, for one purpose, until a moment. */
import type { Clock } from '@postern/runtime';
import { base64url, EncryptJWT, jwtDecrypt } from 'jose';
import type { z } from 'zod';

/** A key of 256 bits, base64url. */
export type SealKey = string;
export const sealKeyBytes = 32;

export type Sealed<Content> = {
  readonly seal: (content: Content, seconds: number) => Promise<string>;
  /** Undefined for whatever was not sealed here for this purpose, was changed, or is over. */
  readonly open: (text: string) => Promise<Content | undefined>;
};

export const sealedFor = <Content extends Readonly<Record<string, unknown>>>(
  purpose: string,
  schema: z.ZodType<Content>,
  key: SealKey,
  clock: Pick<Clock, 'now'>,
): Sealed<Content> => {
  const secret = base64url.decode(key);
  return {
    seal: (content, seconds) =>
      new EncryptJWT({ content })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(purpose)
        .setExpirationTime(Math.floor(clock.now() / 1_000) + seconds)
        .encrypt(secret),
    open: async (text) => {
      try {
        const { payload } = await jwtDecrypt(text, secret, {
          audience: purpose,
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp'],
          currentDate: new Date(clock.now()),
        });
        return schema.parse(payload['content']);
      } catch {
        return undefined;
      }
    },
  };
};
