/** From a matched request to the objects that its endpoint's rules name. */
import type { ObjectQuestion } from '../decisions/decision.ts';
import { encodeId } from '../ids.ts';
import type { Endpoint } from './endpoint.ts';
import { namesOf, parseTemplate } from './template.ts';

export type Objects =
  | { readonly outcome: 'named'; readonly objects: readonly ObjectQuestion[] }
  /** The request names an object in a spelling that could be read as another one. */
  | { readonly outcome: 'unsafe'; readonly why: string }
  /** The route's fault: its rule asks for a parameter that its path has not. */
  | { readonly outcome: 'unknown'; readonly why: string };

const none: Objects = { outcome: 'named', objects: [] };

/** `parameters` as the matcher gave them: decoded once, and never again. Pure. */
export const objectsOf = ({
  endpoint,
  parameters,
}: {
  readonly endpoint: Pick<Endpoint, 'objects'>;
  readonly parameters: Readonly<Record<string, string>>;
}): Objects => {
  if (endpoint.objects === undefined) return none;
  const objects: ObjectQuestion[] = [];
  for (const { type, parameter, permission } of endpoint.objects) {
    const value = parameters[parameter];
    if (value === undefined) return { outcome: 'unknown', why: `the path has no parameter ${parameter}` };
    try {
      objects.push({ resource: `${type}:${encodeId(value)}`, permission });
    } catch (error) {
      return { outcome: 'unsafe', why: error instanceof Error ? error.message : 'it is no id' };
    }
  }
  return { outcome: 'named', objects };
};

/** The first of the endpoint's rules whose parameter its template does not have. */
export const unnamedParameter = ({ template, objects = [] }: Endpoint): string | undefined => {
  const parsed = parseTemplate(template);
  const names = parsed.outcome === 'parsed' ? parsed.segments.flatMap(namesOf) : [];
  return objects.find(({ parameter }) => !names.includes(parameter))?.parameter;
};
