/** Rows as events of OCSF 1.5.0: decisions are API Activity (6003), grants User Access Management (3005), all else Entity Management (3004). */
import type { ServedRow } from '@postern/schemas/record';

export type OcsfEvent = Readonly<Record<string, unknown>>;

const methods: Readonly<Record<string, number>> = { POST: 1, GET: 2, HEAD: 2, PUT: 3, PATCH: 3, DELETE: 4 };
const verbs: Readonly<Record<string, number>> = {
  joined: 1,
  issued: 1,
  defined: 1,
  opened: 1,
  started: 1,
  requested: 1,
  read: 2,
  moved: 3,
  changed: 3,
  rotated: 3,
  published: 3,
  left: 4,
  deleted: 4,
  retired: 4,
  revoked: 4,
  expired: 4,
};
const other = 99;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const present = (event: Readonly<Record<string, unknown>>): OcsfEvent =>
  Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));

export const toOcsf = (row: ServedRow): OcsfEvent => {
  const body = (row.body ?? {}) as Readonly<Record<string, unknown>>;
  const base = {
    severity_id: 1,
    time: Date.parse(String(row.at)),
    metadata: present({
      version: '1.5.0',
      product: { name: 'Postern', vendor_name: 'Postern' },
      uid: String(row.id),
      log_name: row.type === 'decision' ? 'decisions' : 'facts',
      ...(typeof row.sequence === 'number' && row.type !== 'decision' && { sequence: row.sequence }),
      correlation_uid: text(row.trace),
    }),
    // All that was recorded: what OCSF has no name for is not lost.
    unmapped: body,
  };
  const classed = (category: number, uid: number, activity: number, name: string, more: object): OcsfEvent =>
    present({
      ...base,
      category_uid: category,
      class_uid: category * 1_000 + uid,
      activity_id: activity,
      type_uid: (category * 1_000 + uid) * 100 + activity,
      ...(activity === other && { activity_name: name }),
      ...more,
    });
  if (row.type === 'decision') {
    const ip = text(body['ip']);
    return classed(6, 3, methods[String(body['method'])] ?? other, String(body['method']), {
      actor: { user: { uid: text(row.subject) ?? 'nobody known' } },
      api: present({
        operation: text(row.endpoint) ?? text(body['path']) ?? 'unknown',
        ...(text(row.service) && { service: { name: row.service } }),
      }),
      src_endpoint: ip === undefined ? { name: 'unknown' } : { ip },
      status_id: row.outcome === 'allow' ? 1 : 2,
      status: row.outcome,
      status_detail: text(row.reason),
    });
  }
  const [, noun = 'event', verb = 'recorded'] = String(row.type).split('.');
  const actor = { user: { uid: text(row.actor) ?? 'unknown' } };
  const [role, subject] = [text(row.role), text(row.subject)];
  if (noun === 'grant' && role !== undefined && subject !== undefined)
    return classed(3, 5, { issued: 1, revoked: 2, expired: 2 }[verb] ?? other, verb, {
      actor,
      user: { uid: subject },
      privileges: [role],
      status_detail: text(row.reason),
    });
  return classed(3, 4, verbs[verb] ?? other, verb, {
    actor,
    entity: { uid: subject ?? role ?? String(row.id), type: noun },
    status_detail: text(row.reason),
  });
};
