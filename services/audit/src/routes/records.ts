/** `facts` and `decisions`: the record, searched. A page as JSON; all that is found as NDJSON or CSV. */
import { Readable } from 'node:stream';
import { type AuditQuery, type AuditReader, type FoundRow, type LogName, pageRowsMax } from '@postern/audit-store';
import { describeZod } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { handOut } from '../readings/hooks.ts';
import { csvHeader, csvLine } from './to-csv.ts';

const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'write a whole number')
  .transform(Number);
const name = z.string().min(1).max(1_100);
const Search = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  /** Sequences, both included. */
  from: whole.optional(),
  to: whole.optional(),
  id: name.optional(),
  type: name.optional(),
  outcome: name.optional(),
  subject: name.optional(),
  role: name.optional(),
  service: name.optional(),
  endpoint: name.optional(),
  trace: name.optional(),
  order: z.enum(['newest', 'oldest']).optional(),
  limit: whole.pipe(z.number().min(1).max(pageRowsMax)).optional(),
  cursor: name.optional(),
});

const Uses = z.strictObject({ since: z.iso.datetime({ offset: true }).optional(), subject: name.optional() });

const pageRows = 100;

export const recordRoutes = (app: FastifyInstance, reader: AuditReader): void => {
  for (const log of ['facts', 'decisions'] as const)
    app.get(`/${log}`, async (request, reply) => {
      const query = toQuery(request.query);
      const accepted = request.headers.accept ?? '';
      const told = (rows: number): void => handOut(request, rows);
      reply.header('vary', 'accept').header('cache-control', 'no-store');
      if (accepted.includes('application/x-ndjson'))
        return reply
          .type('application/x-ndjson')
          .send(lines(reader, log, query, told, (row) => JSON.stringify(toItem(row))));
      if (accepted.includes('text/csv'))
        return reply.type('text/csv; charset=utf-8').send(lines(reader, log, query, told, csvLine, csvHeader));
      const { rows, next, size } = await reader.find(log, { ...query, limit: query.limit ?? pageRows });
      told(rows.length);
      const checkpoint = await reader.checkpoint(log);
      return { items: rows.map(toItem), next: next ?? null, size, checkpoint: checkpoint?.note ?? null };
    });
};

/** `last-use`: when each endpoint was last used by whom, a line for each. */
export const lastUseRoute = (app: FastifyInstance, reader: AuditReader): void => {
  app.get('/last-use', async (request, reply) => {
    const asked = Uses.safeParse(request.query);
    if (!asked.success) throw new Problem('audit/bad-query', { detail: describeZod(asked.error) });
    const { since, subject } = asked.data;
    const uses = await reader.lastUses({ ...(since && { since }), ...(subject && { subject }) });
    handOut(request, uses.length);
    const told = function* (): Generator<string> {
      for (const use of uses) yield `${JSON.stringify(use)}\n`;
    };
    return reply.type('application/x-ndjson').header('cache-control', 'no-store').send(Readable.from(told()));
  });
};

/** Throws `audit/bad-query`. */
export const toQuery = (asked: unknown): Omit<AuditQuery, 'limit'> & { readonly limit?: number } => {
  const search = Search.safeParse(asked);
  if (!search.success) throw new Problem('audit/bad-query', { detail: describeZod(search.error) });
  const { from, to, ...rest } = search.data;
  const query = { ...rest, fromSequence: from, toSequence: to };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
};

/** A row with its fact or decision as what it is, not as text; what somebody altered so that it is none any more stays the text it is. */
export const toItem = ({ body, ...row }: FoundRow): Record<string, unknown> => ({ ...row, body: parsed(body) });

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
};

/** Line by line, page by page, up to the limit or the end: an export is as long as the record. */
const lines = (
  reader: AuditReader,
  log: LogName,
  query: Omit<AuditQuery, 'limit'> & { readonly limit?: number },
  told: (rows: number) => void,
  toLine: (row: FoundRow) => string,
  header?: string,
): Readable => {
  const generate = async function* (): AsyncGenerator<string> {
    if (header !== undefined) yield `${header}\n`;
    let { cursor } = query;
    do {
      const limit = query.limit ?? pageRowsMax;
      const page = await reader.find(log, { ...query, limit, ...(cursor !== undefined && { cursor }) });
      told(page.rows.length);
      yield page.rows.map((row) => `${toLine(row)}\n`).join('');
      cursor = page.next;
    } while (cursor !== undefined && query.limit === undefined);
  };
  return Readable.from(generate());
};
