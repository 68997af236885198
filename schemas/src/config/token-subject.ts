/** Whom a token names, where that is not one claim as it stands; and what else it has to say before it counts. */
import { z } from 'zod';

/** A member of the token, or a JSON pointer (RFC 6901) into it: `repository`, `/kubernetes.io/namespace`. */
export const ClaimName = z
  .string()
  .regex(
    /^([^/{}\s][^{}\s]*|(\/([^/{}~\s]|~[01])+)+)$/,
    'write the name of a claim, or a JSON pointer such as /kubernetes.io/namespace',
  );

const placeholder = /\{([^{}]*)\}/g;

/** What a template is made of, in order: text, and claims. */
export type TemplatePart = { readonly text: string } | { readonly claim: string };
export const templateParts = (template: string): readonly TemplatePart[] => {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of template.matchAll(placeholder)) {
    if (match.index > from) parts.push({ text: template.slice(from, match.index) });
    parts.push({ claim: match[1] ?? '' });
    from = match.index + match[0].length;
  }
  if (from < template.length) parts.push({ text: template.slice(from) });
  return parts;
};

/**
 * `github|{repository_id}|{environment}`. What stands in a claim cannot be taken for what stands between two: `|` and `:` and `%` in its
 * value are written %7C, %3A and %25, and behind each claim one of the first two has to follow.
 */
export const SubjectTemplate = z
  .string()
  .max(300)
  .superRefine((template, context) => {
    const parts = templateParts(template);
    const claims = parts.flatMap((part) => ('claim' in part ? [part.claim] : []));
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    if (claims.length === 0) wrong('it names no claim: everybody would be the same one');
    for (const claim of claims)
      if (!ClaimName.safeParse(claim).success) wrong(`{${claim}} names no claim; a JSON pointer begins with /`);
    for (const [at, part] of parts.entries()) {
      const next = parts[at + 1];
      if ('text' in part && /[{}]/.test(part.text)) wrong('a brace stands alone');
      if ('claim' in part && next !== undefined && !('text' in next && /^[|:]/.test(next.text)))
        wrong(`behind {${part.claim}} there has to be | or :, or two different tokens could name the same one`);
    }
  });

/** Exactly these values; one that ends with * stands for all that begin so. Letters count. */
export const RequiredClaims = z.record(
  ClaimName,
  z.array(z.union([z.string().min(1), z.number(), z.boolean()])).min(1, 'no value would do'),
);
export type RequiredClaims = z.infer<typeof RequiredClaims>;

export const TokenSubject = z
  .strictObject({
    type: z.enum(['user', 'workload']),
    /** The claim that is the id. */
    claim: ClaimName.optional(),
    /** The id made of several. */
    id: SubjectTemplate.optional(),
  })
  .refine(({ claim, id }) => (claim === undefined) !== (id === undefined), {
    path: ['claim'],
    error: 'write claim, the one that is the id, or id, which is made of several',
  });
export type TokenSubject = z.infer<typeof TokenSubject>;
