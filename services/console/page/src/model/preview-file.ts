/** What `postern preview --format json` writes, as much of it as is shown; a file that is none is refused in words. */
import { z } from 'zod';

const Flip = z.object({
  direction: z.enum(['allow-to-deny', 'deny-to-allow']),
  subjects: z.array(z.string()),
  live: z.string().optional(),
  here: z.string().optional(),
  example: z.string(),
  uses: z.number(),
  last: z.string(),
  objects: z.array(z.string()).default([]),
  objectCount: z.number().default(0),
  causes: z.array(z.object({ kind: z.string(), what: z.string(), place: z.string().optional() })),
  wanted: z.boolean(),
});
export type Flip = z.infer<typeof Flip>;
const PreviewFile = z.object({
  verdict: z.string(),
  read: z.number(),
  distinct: z.number(),
  asked: z.number(),
  from: z.string().optional(),
  until: z.string().optional(),
  undecided: z.number().default(0),
  leftOut: z.array(z.object({ why: z.string(), uses: z.number(), example: z.string().optional() })).default([]),
  flips: z.array(Flip),
});
export type PreviewFile = z.infer<typeof PreviewFile>;
export type ReadPreview =
  | { readonly outcome: 'read'; readonly preview: PreviewFile }
  | { readonly outcome: 'unreadable'; readonly why: string };

/** A browser reads it whole. */
const bytesMax = 50_000_000;

export const readPreview = async (file: Blob): Promise<ReadPreview> => {
  if (file.size > bytesMax) return { outcome: 'unreadable', why: 'It is larger than 50 MB.' };
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch {
    return { outcome: 'unreadable', why: 'It is no JSON: write it with postern preview --format json.' };
  }
  const read = PreviewFile.safeParse(content);
  if (read.success) return { outcome: 'read', preview: read.data };
  const [issue] = read.error.issues;
  return {
    outcome: 'unreadable',
    why: `It is none that postern preview --format json writes (${issue?.path.join('.')}: ${issue?.message}).`,
  };
};

/** Flips of one endpoint for the same causes, whoever calls. */
export type Group = Omit<Flip, 'subjects'> & { readonly callers: readonly string[] };

export const groupsOf = ({ flips }: PreviewFile, direction: Flip['direction']): readonly Group[] => {
  const groups = new Map<string, Group>();
  for (const { subjects, ...flip } of flips) {
    if (flip.direction !== direction) continue;
    const who = subjects.length === 0 ? 'anybody, without a credential' : subjects.join(' + ');
    const key = JSON.stringify([flip.live, flip.here, flip.wanted, flip.causes.map(({ what }) => what)]);
    const known = groups.get(key);
    groups.set(key, {
      ...(known ?? flip),
      uses: (known?.uses ?? 0) + flip.uses,
      last: known !== undefined && known.last > flip.last ? known.last : flip.last,
      callers: [...new Set([...(known?.callers ?? []), who])],
    });
  }
  return [...groups.values()].sort(
    (a, b) => Number(a.wanted) - Number(b.wanted) || b.callers.length - a.callers.length || b.uses - a.uses,
  );
};
