/** Path templates, taken apart once: what a segment of a request must look like. */

export type TemplateSegment =
  | { readonly kind: 'literal'; readonly text: string }
  /** `{name}`: one whole segment, never empty. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** Literal text around placeholders: `texts[0] names[0] texts[1] … texts[n]`. */
  | { readonly kind: 'partial'; readonly texts: readonly string[]; readonly names: readonly string[] }
  /** `{name+}`: one or more segments, to the end; none of them empty. */
  | { readonly kind: 'rest'; readonly name: string };

export type ParsedTemplate =
  | { readonly outcome: 'parsed'; readonly segments: readonly TemplateSegment[]; readonly shape: string }
  | { readonly outcome: 'refused'; readonly why: string };

const refused = (why: string): ParsedTemplate => ({ outcome: 'refused', why });

/** Takes a template apart; `shape` is the template with its placeholders' names left out: two of one shape match the same paths. */
export const parseTemplate = (template: string): ParsedTemplate => {
  if (!template.startsWith('/')) return refused('a path template begins with a slash');
  const texts = template.slice(1).split('/');
  const segments: TemplateSegment[] = [];
  const names = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const last = index === texts.length - 1;
    if (text === '' && !last) return refused('a path template holds an empty segment');
    const segment = parseSegment(text);
    if ('why' in segment) return refused(segment.why);
    if (segment.kind === 'rest' && !last) return refused('a placeholder {name+} may stand only at the end');
    for (const name of namesOf(segment)) {
      if (names.has(name)) return refused(`the placeholder {${name}} stands twice`);
      names.add(name);
    }
    segments.push(segment);
  }
  return { outcome: 'parsed', segments, shape: segments.map(shapeOf).join('/') };
};

export const namesOf = (segment: TemplateSegment): readonly string[] => {
  if (segment.kind === 'literal') return [];
  return segment.kind === 'partial' ? segment.names : [segment.name];
};

const shapeOf = (segment: TemplateSegment): string => {
  switch (segment.kind) {
    case 'literal':
      return segment.text;
    case 'parameter':
      return '{}';
    case 'rest':
      return '{+}';
    case 'partial':
      return segment.texts.join('{}');
  }
};

const placeholder = /\{([^{}]*?)(\+?)\}/g;

const parseSegment = (text: string): TemplateSegment | { readonly why: string } => {
  const texts: string[] = [];
  const names: string[] = [];
  let from = 0;
  let rest = false;
  for (const match of text.matchAll(placeholder)) {
    texts.push(text.slice(from, match.index));
    names.push(match[1] ?? '');
    rest ||= match[2] === '+';
    from = match.index + match[0].length;
  }
  texts.push(text.slice(from));
  if (texts.some((part) => /[{}]/.test(part))) return { why: `"${text}" holds a brace without its other half` };
  if (names.some((name) => name === '')) return { why: `"${text}" holds a placeholder without a name` };
  let literals: string[];
  try {
    literals = texts.map(decodeURIComponent);
  } catch {
    return { why: `"${text}" holds a percent sign that begins no encoded character` };
  }
  const [name] = names;
  if (name === undefined) {
    const literal = literals.join('');
    return literal === '.' || literal === '..'
      ? { why: 'a dot segment names no path' }
      : { kind: 'literal', text: literal };
  }
  if (names.length === 1 && literals.every((part) => part === '')) return { kind: rest ? 'rest' : 'parameter', name };
  if (rest) return { why: `{name+} takes whole segments: "${text}" holds more than it` };
  if (literals.slice(1, -1).some((part) => part === ''))
    return { why: `"${text}" holds two placeholders with nothing between them` };
  return { kind: 'partial', texts: literals, names };
};

/**
 * The placeholders' values in `segment`, or undefined where it does not fit. Each takes one character at least; between two
 * texts the shortest value is taken, which finds a fit wherever there is one.
 */
export const matchPartial = (texts: readonly string[], segment: string): string[] | undefined => {
  const first = texts[0] ?? '';
  const last = texts[texts.length - 1] ?? '';
  if (!segment.startsWith(first) || !segment.endsWith(last)) return undefined;
  const end = segment.length - last.length;
  const values: string[] = [];
  let at = first.length;
  for (let index = 1; index < texts.length - 1; index++) {
    const text = texts[index] ?? '';
    const found = segment.indexOf(text, at + 1);
    if (found < 0 || found + text.length > end) return undefined;
    values.push(segment.slice(at, found));
    at = found + text.length;
  }
  if (at >= end) return undefined;
  values.push(segment.slice(at, end));
  return values;
};
