/** `GET export`: facts, decisions or the answer to a question, as an evidence bundle. */
import type { Clock } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { findUpTo } from '../questions/asked.ts';
import { parseQuestion, type QuestionsDeps, questionAnswer } from '../questions/routes.ts';
import { handOut } from '../readings/hooks.ts';
import type { PublishedLog } from '../routes/published-log.ts';
import { toItem, toQuery } from '../routes/records.ts';
import { type BundleDeps, bundleEntriesMax, bundleFiles, type Exported, zipped } from './bundle.ts';

export type ExportDeps = QuestionsDeps & {
  readonly logs: readonly PublishedLog[];
  readonly clock: Clock;
  readonly sealed?: BundleDeps['sealed'];
};

export const exportRoute = (app: FastifyInstance, deps: ExportDeps): void => {
  const make: BundleDeps = { reader: deps.reader, logs: deps.logs, sealed: deps.sealed };
  app.get('/export', async (request, reply) => {
    const { kind, question, ...query } = request.query as Readonly<Record<string, string>>;
    const exported =
      question === undefined ? await recordsExport(deps, kind, query) : await questionExport(deps, question, query);
    const files = await bundleFiles(make, exported);
    handOut(request, exported.rows.length);
    return reply
      .type('application/zip')
      .header('cache-control', 'no-store')
      .header('content-disposition', 'attachment; filename="evidence.zip"')
      .send(Buffer.from(zipped(files, deps.clock.now())));
  });
};

const headsOf = async ({ reader }: ExportDeps): Promise<Exported['heads']> => {
  const [facts, decisions] = [await reader.checkpoint('facts'), await reader.checkpoint('decisions')];
  return { ...(facts && { facts }), ...(decisions && { decisions }) };
};

const recordsExport = async (deps: ExportDeps, kind: string | undefined, asked: object): Promise<Exported> => {
  if (kind !== 'facts' && kind !== 'decisions')
    throw new Problem('audit/bad-query', { detail: 'kind is facts or decisions, or give a question' });
  const { limit = bundleEntriesMax, ...query } = toQuery(asked);
  const heads = await headsOf(deps);
  const found = await findUpTo(deps.reader, kind, { order: 'oldest', ...query }, Math.min(limit, bundleEntriesMax));
  const size = heads[kind]?.size ?? 0;
  const rows = found.rows.filter(({ index }) => index < size);
  return {
    kind,
    asks: kind,
    query,
    rows: rows.map(toItem),
    said: { complete: !found.more && rows.length === found.rows.length },
    entries: { [kind]: rows.map(({ index }) => index) },
    heads,
  };
};

const questionExport = async (deps: ExportDeps, number: string, asked: object): Promise<Exported> => {
  const { question, args } = parseQuestion(number, asked);
  const { answer, facts, decisions, given } = await questionAnswer(deps, question, args);
  const { rows, summary = {}, notes = [], proof, ...restsOn } = answer;
  const resting = [...(restsOn.facts ?? [])].map((sequence) => sequence - 1);
  const decided = [...(restsOn.decisions ?? [])];
  if (resting.length + decided.length > bundleEntriesMax)
    throw new Problem('audit/bad-query', {
      detail: `a bundle holds ${bundleEntriesMax} entries: ask about a shorter time`,
    });
  return {
    kind: 'question',
    asks: `${question.number}. ${question.asks}`,
    query: given,
    rows,
    said: { question: question.number, clauses: question.clauses, summary, notes, ...(proof && { proof }) },
    entries: { facts: resting, ...(decisions && { decisions: decided }) },
    heads: { facts, ...(decisions && { decisions }) },
  };
};
