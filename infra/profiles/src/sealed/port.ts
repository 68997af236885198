/**
 * Sealed texts: what people wrote in facts. The fact holds a salted commitment, this store the text and its salt, until they are
 * erased. Like profiles it is beside the log on purpose; see docs/adr/0026. The comments are promises; conformance.ts keeps them.
 */
export type SealedText = {
  /** As it stands in the fact. */
  readonly commitment: string;
  readonly salt: Uint8Array;
  readonly text: string;
  /** Whom it is about. */
  readonly subject: string;
  /** Who wrote it. */
  readonly author: string;
  /** The member of the fact: `postern.grant.issued.v1/reason`. */
  readonly member: string;
  /** The sequence of the fact. */
  readonly sequence: number;
};

export interface SealedStore extends AsyncDisposable {
  /** All or none; durable when it resolves. */
  keep(texts: readonly SealedText[]): Promise<void>;
  /** Texts of facts that were never written. */
  forget(commitments: readonly string[]): Promise<void>;
  /** Those that are kept, in no order. */
  find(commitments: readonly string[]): Promise<readonly SealedText[]>;
  /** About the subject, or written by the author, in the order of their facts. */
  of(who: { readonly subject: string } | { readonly author: string }): Promise<readonly SealedText[]>;
  /**
   * Erases what is kept of the subject in facts before `before`, and resolves with how many texts that were once no file of the store
   * holds them any more. What was begun by somebody who was killed is finished.
   */
  erase(subject: string, before: number): Promise<number>;
  /** Whatever was deleted from the store's database, profiles among them, is in none of its files any more when it resolves. */
  scrub(): Promise<void>;
}
