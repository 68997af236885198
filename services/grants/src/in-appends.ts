/**
 * The appends that one decision takes. One, where it fits. A role whose birthright thousands hold does not: then birthrights that end
 * are taken first, what the command itself says follows in one append, and birthrights that begin are given behind it. So at every
 * moment, and wherever it is interrupted, somebody may still lack what they are due, and nobody holds what they are not.
 */
import { appendBytesMax, type FactDraft, type Organisation } from '@postern/schemas';

/** What the log adds to a draft: its place, its append, the version of the envelope, and commitments in place of short texts. */
const sealBytes = 450;
const bytesOf = (draft: FactDraft): number => Buffer.byteLength(JSON.stringify(draft)) + sealBytes;

export const inAppends = (
  drafts: readonly FactDraft[],
  { grants }: Pick<Organisation, 'grants'>,
  bytesMax = appendBytesMax,
): readonly (readonly FactDraft[])[] => {
  if (drafts.reduce((sum, each) => sum + bytesOf(each), 0) <= bytesMax) return [drafts];
  const ends = (each: FactDraft): boolean =>
    each.type === 'postern.grant.revoked.v1' && grants.get(each.data.grant)?.origin === 'birthright';
  const begins = (each: FactDraft): boolean =>
    each.type === 'postern.grant.issued.v1' && each.data.origin === 'birthright';
  const itself = drafts.filter((each) => !ends(each) && !begins(each));
  const appends = [
    ...parts(drafts.filter(ends), bytesMax),
    ...(itself.length === 0 ? [] : [itself]),
    ...parts(drafts.filter(begins), bytesMax),
  ];
  // Only the last one is known by the request it came from: until then a repetition of the request goes on with the rest.
  return appends.map((each, at) => (at === appends.length - 1 ? each : each.map(withoutInbound)));
};

const parts = (drafts: readonly FactDraft[], bytesMax: number): FactDraft[][] => {
  const all: FactDraft[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const draft of drafts) {
    const size = bytesOf(draft);
    if (bytes + size > bytesMax) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(draft);
    bytes += size;
  }
  return all;
};

const withoutInbound = ({ inboundsource: _s, inboundid: _i, inbounddigest: _d, ...draft }: FactDraft): FactDraft =>
  draft as FactDraft;
