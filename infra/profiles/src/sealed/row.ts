/** A sealed text as either database gives its row. */
import type { SealedText } from './port.ts';

export const toText = (row: Readonly<Record<string, unknown>>): SealedText => ({
  commitment: String(row['commitment']),
  salt: Uint8Array.from(row['salt'] as Uint8Array),
  text: String(row['text']),
  subject: String(row['subject']),
  author: String(row['author']),
  member: String(row['member']),
  sequence: Number(row['sequence']),
});
