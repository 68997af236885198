/** What an entry can be found by. Pure: the same bytes give the same rows, so rows can be checked against the signed bytes. */

import { DecisionBatch, type DecisionRecord } from '../decisions/decision.ts';
import type { LoggedFact } from '../facts/log-entry.ts';
import { type AuditRow, rowMembers } from './row.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A fact's row also stands where this version cannot read the fact: its envelope says enough to find it. */
export const factRow = ({ envelope, bytes, sequence }: LoggedFact): AuditRow => {
  const data = isRecord(envelope.data) ? envelope.data : {};
  const endpoint = text(data['endpoint']);
  const service = text(data['service']) ?? endpoint?.split('/')[0];
  // A grant is about its holder, a relation of an object about whoever stands in it; other facts about what their envelope names.
  const subject = text(data['subject']) ?? text(data['principal']) ?? envelope.subject;
  return defined({
    id: envelope.id,
    at: envelope.recordedtime,
    type: envelope.type,
    reason: text(data['reason']),
    subject,
    actor: envelope.authid,
    role: text(data['role']),
    service,
    endpoint,
    sequence,
    trace: traceOf(envelope.traceparent),
    body: utf8.decode(bytes),
  });
};

export type ReadBatch =
  | { readonly outcome: 'read'; readonly instance: string; readonly batch: number; readonly rows: readonly AuditRow[] }
  | { readonly outcome: 'unreadable'; readonly why: string };

/** The decisions of one batch, in its order. */
export const decisionRows = (bytes: Uint8Array): ReadBatch => {
  try {
    const written: unknown = JSON.parse(utf8.decode(bytes));
    const batch = DecisionBatch.safeParse(written);
    if (batch.success) {
      const { instance, batch: number, decisions } = batch.data;
      // A body has its members in the order in which they were written, so that the entry's own bytes hold it.
      const bodies = (written as DecisionBatch).decisions;
      const rows = decisions.map((decision, at) => decisionRow(decision, JSON.stringify(bodies[at])));
      return { outcome: 'read', instance, batch: number, rows };
    }
    const issue = batch.error.issues[0];
    return { outcome: 'unreadable', why: `not a batch of decisions: ${issue?.path.join('.')}: ${issue?.message}` };
  } catch (error) {
    return { outcome: 'unreadable', why: `not JSON in UTF-8: ${error instanceof Error ? error.message : error}` };
  }
};

export const unreadableType = 'unreadable';

/** What stands for a record that nothing could be read from: it is found, and counted, by its place. */
export const unreadableRow = (place: { partition: string; offset: number }, at: string, why: string): AuditRow => ({
  id: `unreadable/${place.partition}/${place.offset}`,
  at,
  type: unreadableType,
  reason: why,
  body: JSON.stringify({ ...place, why }),
});

const decisionRow = (decision: DecisionRecord, body: string): AuditRow =>
  defined({
    id: decision.id,
    at: decision.at,
    type: 'decision',
    outcome: decision.outcome,
    reason: decision.reason,
    subject: decision.principal,
    // Who acted in the principal's name: the last link of a delegation, else the key that was shown.
    actor: decision.actors?.at(-1) ?? decision.credential,
    service: decision.service,
    endpoint: decision.endpoint,
    sequence: decision.sequence,
    trace: decision.trace,
    body,
  });

/** The trace id of a W3C traceparent: 32 hex digits. */
const traceOf = (traceparent: string | undefined): string | undefined =>
  /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

type Loose = { readonly [Name in keyof AuditRow]?: AuditRow[Name] | undefined };
// Member by member: this is done for every decision.
const defined = (row: Loose & Pick<AuditRow, 'id' | 'at' | 'type' | 'body'>): AuditRow => {
  const kept: Record<string, string | number> = {};
  for (const name of rowMembers) {
    const value = row[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept as AuditRow;
};
