/** What engineers publish, and what the room itself has to record. */
import { createHash } from 'node:crypto';
import { canonicalJson, type Endpoint, type FactDraft, readSchemaText, type Service } from '@postern/schemas';
import { withoutConflicts } from './birthrights.ts';
import type { Decider } from './command.ts';
import { draft, facts, nothing } from './drafts.ts';
import { defineRoleUnder, retireRole } from './roles.ts';

/** Bytes of schema text or endpoint JSON in one part: well below the limit of one log entry, envelope included. */
const partBytesMax = 40_000;

export const publishSchema: Decider<'publish-schema'> = ({ text, provenance }, organisation, at) => {
  if (organisation.schema === text) return nothing;
  const parts: string[] = [];
  for (let rest = text; rest.length > 0; rest = rest.slice(parts.at(-1)?.length)) parts.push(cut(rest));
  const digest = fingerprint(text);
  return facts(
    ...parts.map(
      (part, index): FactDraft =>
        draft(
          'postern.schema.published.v1',
          'schema',
          { text: part, part: index + 1, parts: parts.length, digest, ...provenance },
          at,
        ),
    ),
  );
};

export const publishRoutes: Decider<'publish-routes'> = ({ service, provenance }, organisation, at) => {
  const live = organisation.services.get(service.name);
  if (live && live.mount === service.mount && canonicalJson(live.endpoints) === canonicalJson(service.endpoints))
    return nothing;
  const parts: Endpoint[][] = [[]];
  let bytes = 0;
  for (const endpoint of service.endpoints) {
    const size = JSON.stringify(endpoint).length;
    if (bytes + size > partBytesMax) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(endpoint);
    bytes += size;
  }
  const digest = fingerprint(canonicalJson(service.endpoints));
  const name = service.name as Parameters<typeof draft<'postern.routes.published.v1'>>[2]['service'];
  return facts(
    ...parts.map((endpoints, index) =>
      draft(
        'postern.routes.published.v1',
        `service:${service.name}`,
        {
          service: name,
          mount: service.mount,
          endpoints,
          part: index + 1,
          parts: parts.length,
          digest,
          ...provenance,
        },
        at,
      ),
    ),
  );
};

/**
 * Schema before routes before roles: each may name what the one before defines. The roles are held to the schema that is published
 * with them; else no part looks at what another one changes, so all of them are decided on the same state and put together.
 */
export const publishModel: Decider<'publish-model'> = (model, organisation, at) => {
  const { schema, services, roles, retire, reason, provenance } = model;
  const published = new Set(services.map(({ name }) => name));
  const withdrawn = [...organisation.services.values()].filter(({ name }) => !published.has(name));
  const defineRole = defineRoleUnder(readSchemaText(schema));
  const parts = [
    publishSchema({ kind: 'publish-schema', text: schema, provenance }, organisation, at),
    ...[...services, ...withdrawn.map((service): Service => ({ ...service, endpoints: [] }))].map((service) =>
      publishRoutes({ kind: 'publish-routes', service, provenance }, organisation, at),
    ),
    ...[...roles].map(([role, rules]) =>
      defineRole({ kind: 'define-role', role, rules, reason, provenance }, organisation, at),
    ),
    ...retire
      .filter((role) => organisation.roles.has(role) && !roles.has(role))
      .map((role) => retireRole({ kind: 'retire-role', role, reason, provenance }, organisation, at)),
  ];
  const refusal = parts.find(({ outcome }) => outcome === 'refused');
  const drafts = parts.flatMap((part) => (part.outcome === 'facts' ? part.facts : []));
  return refusal ?? facts(...withoutConflicts(drafts, new Map([...organisation.roles, ...roles]), at));
};

export const recordQuarantine: Decider<'record-quarantine'> = (
  { from, position, why, digest, event },
  _organisation,
  at,
) =>
  facts(draft('postern.event.quarantined.v1', undefined, { from, position, why, digest, ...(event && { event }) }, at));

export const recordEnforcement: Decider<'record-enforcement'> = ({ reached, proxies, lapsed }, _organisation, at) =>
  facts(draft('postern.enforcement.reached.v1', undefined, { reached, proxies, lapsed: [...lapsed] }, at));

/** The longest beginning of `text` within the limit that does not cut a surrogate pair. */
const cut = (text: string): string => {
  const end = Math.min(text.length, Math.floor(partBytesMax / 3));
  return text.slice(0, end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end);
};

/** SHA-256, hex: tells one publication from another. */
const fingerprint = (text: string): string => createHash('sha256').update(text).digest('hex');

export const recordLateEnforcement: Decider<'record-late-enforcement'> = ({ reached, waitingFor }, _organisation, at) =>
  facts(draft('postern.enforcement.late.v1', undefined, { reached, waitingFor: waitingFor.slice(0, 100) }, at));
