/** What tests write into an event log: facts and batches of decisions, told apart by their number. */
import type { DecisionBatch, FactDraft, RoleName, SubjectId } from '@postern/schemas';

const at = (number: number): string => new Date(Date.UTC(2030, 0, 1) + number * 1_000).toISOString();
export const factId = (number: number): string => `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
export const traceOfFact = (number: number): string => (number + 1).toString(16).padStart(32, '0');

export const grantIssued = (number: number): FactDraft => ({
  id: factId(number),
  source: '/postern/grants',
  type: 'postern.grant.issued.v1',
  subject: 'user:ann',
  time: at(number),
  recordedtime: at(number),
  correlationid: factId(number),
  authtype: 'user',
  authid: 'user:admin',
  traceparent: `00-${traceOfFact(number)}-00f067aa0ba902b7-01`,
  data: {
    grant: factId(number) as never,
    subject: (number % 2 === 0 ? 'user:ann' : 'user:ben') as SubjectId,
    role: 'payroll-read' as RoleName,
    origin: 'direct',
    reason: `reason ${number}`,
  },
});

export const decisionBatch = (batch: number, decisions: number): Uint8Array => {
  const content: DecisionBatch = {
    v: 1,
    instance: 'proxy-1',
    batch,
    decisions: Array.from({ length: decisions }, (_, place) => ({
      id: `d-${batch}-${place}`,
      at: at(batch),
      outcome: place % 3 === 0 ? 'deny' : 'allow',
      ...(place % 3 === 0 && { reason: 'no-grant' as const }),
      principal: 'user:ann',
      service: 'payroll',
      endpoint: 'payroll/getEmployee',
      method: 'GET',
      path: `/employees/${place}`,
      sequence: 3,
      trace: 'cafe'.repeat(8),
    })),
  };
  return new TextEncoder().encode(JSON.stringify(content));
};
