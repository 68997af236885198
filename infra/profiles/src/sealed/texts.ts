/** The store as whoever shows rows sees it. */
import { setImmediate as immediate } from 'node:timers/promises';
import type { SealedTexts } from '@postern/schemas';
import type { SealedStore } from './port.ts';

/** A store in this process is synchronous: others have their turn in between. */
const perLook = 500;

export const sealedTexts =
  (store: Pick<SealedStore, 'find'>): SealedTexts =>
  async (commitments) => {
    const texts = new Map<string, string>();
    for (let at = 0; at < commitments.length; at += perLook) {
      for (const { commitment, text } of await store.find(commitments.slice(at, at + perLook)))
        texts.set(commitment, text);
      await immediate();
    }
    return texts;
  };
