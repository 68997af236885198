/** Which reviewed files a published fact comes from. Whoever was authenticated when it was published is the envelope's actor, and nobody else. */
import { z } from 'zod';
import { PrincipalId } from '../ids.ts';

/** What a version control system calls the state of the files: a git commit's hash, or another name. */
export const Commit = z.string().regex(/^[\w.+/-]{1,100}$/, 'a commit is 1 to 100 of letters, digits and ._+/-');

export const provenance = {
  commit: Commit.optional(),
  /** Who wrote the commit, as the publisher says: never an address, which a fact could not forget. */
  author: PrincipalId.optional(),
};
export const Provenance = z.strictObject(provenance);
export type Provenance = z.infer<typeof Provenance>;
