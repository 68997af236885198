/** What a refused caller is told: the code, the decision to look up, and, to whom it may say so, what would be needed. */
import {
  type EndpointId,
  type Organisation,
  opensEndpoint,
  Problem,
  type ProblemCode,
  type RoleRules,
  toProblemDocument,
} from '@postern/schemas';

export type Refusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type RefusalDetail = {
  readonly decision: string;
  readonly detail?: string;
  readonly fix?: string;
  /** Role names, for a 403 to a principal that the organisation knows. */
  readonly needed?: readonly string[];
  /** What was asked besides the endpoint, told to whom the roles are told. */
  readonly objects?: readonly string[] | undefined;
  /** OAuth scopes, for a delegated token that lacks them. */
  readonly scopes?: readonly string[];
  readonly retryAfterSeconds?: number;
  /** Further headers, name and value by turns. */
  readonly headers?: readonly string[];
};

export const toRefusal = (
  code: ProblemCode,
  { decision, detail, fix, needed, objects, scopes, retryAfterSeconds = 1, headers = [] }: RefusalDetail,
): Refusal => {
  const problem = new Problem(code, {
    ...(detail !== undefined && { detail }),
    ...(fix !== undefined && { fix }),
    members: {
      decision,
      ...(objects !== undefined && { objects }),
      ...(scopes !== undefined && { scopes }),
      ...(needed !== undefined &&
        needed.length > 0 && {
          needed,
          howToAsk: `Ask whoever administers access for one of these roles, and quote the decision ${decision}.`,
        }),
    },
  });
  const { status } = problem;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 401 && {
        'www-authenticate': code === 'proxy/bad-credential' ? 'Bearer error="invalid_token"' : 'Bearer',
      }),
      // RFC 6750 §3.1.
      ...(scopes !== undefined && {
        'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`,
      }),
      ...((status === 503 || status === 429) && { 'retry-after': String(retryAfterSeconds) }),
      ...(status === 405 && { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY' }),
      ...named(headers),
    },
    body: JSON.stringify(toProblemDocument(problem)),
  };
};

const named = (headers: readonly string[]): Record<string, string> => {
  const object: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) object[headers[at] ?? ''] = headers[at + 1] ?? '';
  return object;
};

/** Names of the roles that allow the endpoint, the one that allows the least first. */
export type NeededRoles = {
  readonly for: (service: string, endpoint: EndpointId) => readonly string[];
  readonly forget: () => void;
};

export const neededRoles = (organisation: Organisation): NeededRoles => {
  const found = new Map<string, readonly string[]>();
  const find = (serviceName: string, id: EndpointId): readonly string[] => {
    const endpoint = organisation.services.get(serviceName)?.endpoints.find((each) => each.id === id);
    if (endpoint === undefined) return [];
    const sized: { name: string; size: number }[] = [];
    for (const [name, rules] of organisation.roles) {
      const allows = rules.allows.some((allowance) => opensEndpoint(allowance, serviceName, endpoint));
      if (allows) sized.push({ name, size: sizeOf(rules, organisation) });
    }
    return sized.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
  };
  return {
    for: (service, endpoint) => {
      const known = found.get(endpoint);
      if (known !== undefined) return known;
      const needed = find(service, endpoint);
      found.set(endpoint, needed);
      return needed;
    },
    forget: () => found.clear(),
  };
};

/** How many endpoints a role reaches. */
const sizeOf = ({ allows }: RoleRules, organisation: Organisation): number => {
  let size = 0;
  for (const allowance of allows)
    if ('endpoint' in allowance) size++;
    else if ('service' in allowance) {
      const { name = '', endpoints = [] } = organisation.services.get(allowance.service) ?? {};
      size += endpoints.filter((endpoint) => opensEndpoint(allowance, name, endpoint)).length;
    }
  return size;
};
