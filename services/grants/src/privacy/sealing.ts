/**
 * Between deciding and the log: what somebody wrote about a person becomes a commitment, and the text is kept where it can be erased.
 * The text is durable before the fact is, so no fact is left without its text; an append that is lost takes its texts back.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { EventLog } from '@postern/event-log';
import type { SealedStore, SealedText } from '@postern/profiles';
import {
  commitmentOf,
  type FactDraft,
  isSealed,
  type Organisation,
  PrincipalId,
  type Sequence,
  saltBytes,
  sealedMembers,
  textAt,
  withTextAt,
} from '@postern/schemas';

export type SealingDeps = {
  readonly facts: EventLog['facts'];
  readonly store: Pick<SealedStore, 'keep' | 'forget' | 'find'>;
  readonly organisation: () => Organisation;
};

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

export const sealing = ({ facts, store, organisation }: SealingDeps): EventLog['facts'] => ({
  ...facts,
  append: async (expected, drafts) => {
    const { sealed, texts } = await sealAll(drafts, expected, organisation(), store);
    if (texts.length > 0) await store.keep(texts);
    const appended = await facts.append(expected, sealed);
    // Where no answer came the fact may stand, so its texts stay; they go with whatever else is erased of the person.
    if (appended.outcome === 'lost' && texts.length > 0) await store.forget(texts.map(({ commitment }) => commitment));
    return appended;
  },
});

const sealAll = async (
  drafts: readonly FactDraft[],
  expected: Sequence,
  organisation: Organisation,
  store: Pick<SealedStore, 'find'>,
): Promise<{ readonly sealed: readonly FactDraft[]; readonly texts: readonly SealedText[] }> => {
  const texts: SealedText[] = [];
  const sealed: FactDraft[] = [];
  for (const [at, draft] of drafts.entries()) {
    let { data }: { data: FactDraft['data'] } = draft;
    for (const path of sealedMembers[draft.type]) {
      const text = textAt(data, path)?.toWellFormed().replaceAll('\0', '\ufffd');
      if (text === undefined) continue;
      const subject = aboutWhom(draft, organisation);
      // An event that waited brings its text as it was sealed when it came.
      if (isSealed(text) && (await store.find([text])).some((known) => known.subject === subject)) continue;
      const salt = new Uint8Array(randomBytes(saltBytes));
      const commitment = await commitmentOf(salt, text, sha256);
      const member = `${draft.type}/${path}`;
      texts.push({ commitment, salt, text, subject, author: draft.authid, member, sequence: expected + at + 1 });
      data = withTextAt(data, path, commitment);
    }
    sealed.push(data === draft.data ? draft : ({ ...draft, data } as FactDraft));
  }
  return { sealed, texts };
};

/** The person that a fact is about; where it is about none, whoever it is from: somebody has to be able to have it erased. */
export const aboutWhom = (draft: FactDraft, organisation: Organisation): string => {
  const data: Readonly<Record<string, unknown>> = draft.data;
  const event = data['event'] as Readonly<Record<string, unknown>> | undefined;
  const named = [data['subject'], data['principal'], data['owner'], event?.['subject'], draft.subject];
  for (const one of [...named, data['credential']]) {
    if (typeof one !== 'string') continue;
    if (PrincipalId.safeParse(one).success) return one;
    const owner = one.startsWith('credential:') ? organisation.credentials.get(one as never)?.owner : undefined;
    if (owner !== undefined) return owner;
  }
  return draft.authid;
};
