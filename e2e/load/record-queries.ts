/** What the record is asked while it is measured: each question in many variants, spread over all that is recorded. */
import type { AuditQuery, AuditReader } from '@postern/audit-store';
import { busiest, endpointOf, idOf, subjectOf, timeOf } from './decisions.ts';

type Query = Omit<AuditQuery, 'limit'>;
const pageRows = 100;
const variants = 40;

/** Of the number of a decision that is there. */
const questions: Readonly<Record<string, (n: number) => Query>> = {
  subject: (n) => ({ subject: subjectOf(n) }),
  'the busiest subject': () => ({ subject: busiest }),
  endpoint: (n) => ({ endpoint: endpointOf(n) }),
  'outcome deny': () => ({ outcome: 'deny' }),
  'ten minutes': (n) => ({ since: timeOf(n), until: timeOf(n + 60_000) }),
  'since, oldest first': (n) => ({ since: timeOf(n), order: 'oldest' }),
  until: (n) => ({ until: timeOf(n) }),
  'subject and endpoint': (n) => ({ subject: subjectOf(n), endpoint: endpointOf(n) }),
  'the busiest subject and endpoint': (n) => ({ subject: busiest, endpoint: endpointOf(n) }),
  'subject and outcome': (n) => ({ subject: subjectOf(n), outcome: 'deny' }),
  'endpoint, outcome and an hour': (n) => ({
    endpoint: endpointOf(n),
    outcome: 'deny',
    since: timeOf(n),
    until: timeOf(n + 360_000),
  }),
  'subject, endpoint, outcome and a day': (n) => ({
    subject: subjectOf(n),
    endpoint: endpointOf(n),
    outcome: 'deny',
    since: timeOf(n),
    until: timeOf(n + 8_640_000),
  }),
  id: (n) => ({ id: idOf(n) }),
};

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** In ms: of the first page, and of the page behind the second. */
export const askRecord = async (
  reader: AuditReader,
  count: number,
  told: (what: string, p50: number, p95: number, max: number, rows: number) => void,
): Promise<void> => {
  for (const [what, question] of Object.entries(questions)) {
    const took: number[] = [];
    let rows = 0;
    for (let variant = 0; variant < variants; variant++) {
      const n = Math.floor((count * (variant + 0.5)) / variants);
      const began = performance.now();
      const page = await reader.find('decisions', { ...question(n), limit: pageRows });
      took.push(performance.now() - began);
      rows += page.rows.length;
    }
    took.sort((a, b) => a - b);
    told(what, quantile(took, 0.5), quantile(took, 0.95), took.at(-1) ?? Number.NaN, rows);
  }
  const took: number[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < variants; page++) {
    const began = performance.now();
    const { next } = await reader.find('decisions', {
      endpoint: endpointOf(3),
      limit: pageRows,
      ...(cursor !== undefined && { cursor }),
    });
    took.push(performance.now() - began);
    cursor = next;
    if (cursor === undefined) break;
  }
  took.sort((a, b) => a - b);
  told('endpoint, page after page', quantile(took, 0.5), quantile(took, 0.95), took.at(-1) ?? Number.NaN, took.length);
};
