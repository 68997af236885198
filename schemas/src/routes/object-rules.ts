/** From a matched request to the objects that its endpoint's rules name. */
import type { ObjectQuestion } from '../decisions/decision.ts';
import { encodeId } from '../ids.ts';
import type { Endpoint } from './endpoint.ts';
import { namesOf, parseTemplate } from './template.ts';

export type Objects =
  | { readonly outcome: 'named'; readonly objects: readonly ObjectQuestion[] }
  /** The request names an object in a spelling that could be read as another one, or names none where it has to. */
  | { readonly outcome: 'unsafe'; readonly why: string }
  /** The route's fault: its rule asks for what is not there. */
  | { readonly outcome: 'unknown'; readonly why: string };

/** All values of an argument, or of a member of one (`input.id`); each of them is asked for. */
export type ReadArgument = (path: string) => { readonly values: readonly string[] } | { readonly why: string };

/** Objects that one operation may name. */
const objectsMax = 100;
const none: Objects = { outcome: 'named', objects: [] };

/** `parameters` as the matcher gave them: decoded once, and never again. `argument` where the body was read. Pure. */
export const objectsOf = (
  {
    endpoint,
    parameters,
  }: {
    readonly endpoint: Pick<Endpoint, 'objects'>;
    readonly parameters: Readonly<Record<string, string>>;
  },
  argument?: ReadArgument,
): Objects => {
  if (endpoint.objects === undefined) return none;
  const objects = new Map<string, ObjectQuestion>();
  for (const rule of endpoint.objects) {
    const { type, permission } = rule;
    const found = 'parameter' in rule ? parameterIn(parameters, rule.parameter) : argument?.(rule.argument);
    if (found === undefined)
      return {
        outcome: 'unknown',
        why:
          'parameter' in rule
            ? `the path has no parameter ${rule.parameter}`
            : `the argument ${rule.argument} stands in a body, and none is known here`,
      };
    if ('why' in found) return { outcome: 'unsafe', why: found.why };
    for (const value of found.values)
      try {
        const resource = `${type}:${encodeId(value)}`;
        objects.set(`${resource}#${permission}`, { resource, permission });
      } catch (error) {
        return { outcome: 'unsafe', why: error instanceof Error ? error.message : 'it is no id' };
      }
  }
  return objects.size > objectsMax
    ? { outcome: 'unsafe', why: `more than ${objectsMax} objects are named` }
    : { outcome: 'named', objects: [...objects.values()] };
};

const parameterIn = (parameters: Readonly<Record<string, string>>, name: string) => {
  const value = parameters[name];
  return value === undefined ? undefined : { values: [value] };
};

/** Why one of the endpoint's rules could never be asked, or undefined. */
export const unaskable = ({ template, operation, objects = [] }: Endpoint): string | undefined => {
  const parsed = parseTemplate(template);
  const names = parsed.outcome === 'parsed' ? parsed.segments.flatMap(namesOf) : [];
  const readable = operation?.kind === 'graphql' || operation?.kind === 'mcp';
  for (const rule of objects)
    if ('argument' in rule && !readable)
      return `an object rule names the argument ${rule.argument}, and arguments are read of GraphQL fields and MCP tools alone (a gRPC message is not read)`;
    else if ('parameter' in rule && operation !== undefined)
      return `an object rule of an operation names an argument, not the parameter ${rule.parameter}`;
    else if ('parameter' in rule && !names.includes(rule.parameter))
      return `the template has no {${rule.parameter}}, which an object rule names`;
  return undefined;
};
