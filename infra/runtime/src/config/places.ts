/** Where in the files a person wrote a thing that the model holds: for whatever is said about it later. */
import { readFileSync } from 'node:fs';
import { decodeId, type EndpointId, type RoleName, type Service } from '@postern/schemas';

export type Place = { readonly file: string; readonly line: number };
export type ModelPlaces = {
  /** Of a line of the composed schema, from 1. */
  readonly schema: (line: number) => Place;
  /** Of a role, or of a member of its rules: `role('reader', 'allows', 0)`. */
  readonly role: (role: RoleName, ...path: readonly PropertyKey[]) => Place;
  readonly endpoint: (endpoint: EndpointId) => Place;
  readonly config: (...path: readonly PropertyKey[]) => Place;
};

/**
 * Finds an endpoint in its service's document by the name of its operation, else by its template: by text, because it is asked for
 * a handful of endpoints and parsing a large document for its lines takes seconds.
 */
export const endpointPlaces = (
  services: readonly Service[],
  documentOf: (service: string) => string | undefined,
  otherwise: (service: string) => Place,
): ((endpoint: EndpointId) => Place) => {
  const texts = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const known = texts.get(file);
    if (known !== undefined) return known;
    let lines: readonly string[] = [];
    try {
      lines = readFileSync(file, 'utf8').split('\n');
    } catch {
      // It was read a moment ago; without it the place is that of the service.
    }
    texts.set(file, lines);
    return lines;
  };
  return (endpoint) => {
    const [service = ''] = endpoint.split('/', 1);
    const file = documentOf(service);
    if (file === undefined) return otherwise(service);
    const found = services.find(({ name }) => name === service)?.endpoints.find(({ id }) => id === endpoint);
    const lines = linesOf(file);
    const operation = decodeId(endpoint.slice(service.length + 1));
    const line = firstWith(lines, operation) ?? (found && firstWith(lines, found.template.replaceAll('+}', '}')));
    return line === undefined ? otherwise(service) : { file, line };
  };
};

/** The first line that holds the text with nothing of a word beside it. */
const firstWith = (lines: readonly string[], text: string): number | undefined => {
  const at = lines.findIndex((line) => {
    const from = line.indexOf(text);
    if (from < 0) return false;
    return !/[\w/{-]/.test(line[from - 1] ?? '') && !/[\w/}-]/.test(line[from + text.length] ?? '');
  });
  return at < 0 ? undefined : at + 1;
};
