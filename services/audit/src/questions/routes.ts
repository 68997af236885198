/** `questions` and `questions/{number}`: each asked by one call, answered with rows and with the evidence for them. */
import type { AuditReader } from '@postern/audit-store';
import type { Relationships } from '@postern/relationships';
import { type Clock, describeZod } from '@postern/runtime';
import { type FactType, Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { momentOf } from '../as-of/moment.ts';
import type { Past } from '../as-of/past.ts';
import { handOut } from '../readings/hooks.ts';
import type { LogTree } from '../tree.ts';
import { Arguments, type Asked, type FoundFact, findUpTo, type Question } from './asked.ts';
import { questions } from './catalogue.ts';
import { prove } from './evidence.ts';

export type QuestionsDeps = {
  readonly reader: AuditReader;
  readonly past: Past;
  readonly trees: Readonly<Record<'facts' | 'decisions', LogTree>>;
  readonly openEngine: () => Promise<Relationships>;
  readonly clock: Clock;
};

/** Entries whose proofs are attached where nothing is said. */
const proofsDefault = 50;

export const questionRoutes = (app: FastifyInstance, deps: QuestionsDeps): void => {
  app.get('/questions', async () => ({
    items: questions.map(({ number, asks, clauses, needs, takes }) => ({ number, asks, clauses, needs, takes })),
  }));
  app.get<{ Params: { question: string } }>('/questions/:question', async (request, reply) => {
    const { params, query } = request;
    const { question, args } = parseQuestion(params.question, query);
    reply.header('cache-control', 'no-store');
    const answer = await answerQuestion(deps, question, args);
    handOut(request, answer.count);
    return answer;
  });
};

/** Throws `audit/no-such-record` and `audit/bad-query`. */
export const parseQuestion = (number: string, asked: unknown) => {
  const question = questions.find((each) => String(each.number) === number);
  if (question === undefined)
    throw new Problem('audit/no-such-record', { detail: `there are questions 1 to ${questions.length}` });
  const args = Arguments.safeParse(asked);
  if (!args.success) throw new Problem('audit/bad-query', { detail: describeZod(args.error) });
  return { question, args: args.data };
};

/** The answer, and the signed heads that it was computed under. */
export const questionAnswer = async (deps: QuestionsDeps, question: Question, args: Arguments) => {
  const { number, needs, takes, answer } = question;
  const given = Object.entries(args).filter(
    ([name, value]) => value !== undefined && !(name === 'known' && value === 'then'),
  );
  for (const name of needs)
    if (args[name] === undefined)
      throw new Problem('audit/bad-query', { detail: `question ${number} is asked with ${name}` });
  for (const [name] of given)
    if (name !== 'proofs' && ![...needs, ...takes].some((each) => each === name))
      throw new Problem('audit/bad-query', {
        detail: `question ${number} does not look at ${name}, but at ${[...needs, ...takes].join(', ') || 'nothing'}`,
      });
  const [facts, decisions] = [await deps.reader.checkpoint('facts'), await deps.reader.checkpoint('decisions')];
  if (facts === undefined) throw new Problem('audit/no-such-record', { detail: 'the facts have not been sealed yet' });
  const sizes = { facts: facts.size, decisions: decisions?.size ?? 0 };
  return {
    answer: await answer(await asked(deps, args, sizes, facts.at)),
    facts,
    decisions,
    given: Object.fromEntries(given),
  };
};

const answerQuestion = async (deps: QuestionsDeps, question: Question, args: Arguments) => {
  const { number, asks, clauses } = question;
  const { answer, facts, decisions, given } = await questionAnswer(deps, question, args);
  const { rows, summary = {}, notes = [], proof, ...restsOn } = answer;
  const max = args.proofs ?? proofsDefault;
  return {
    question: number,
    asks,
    clauses,
    query: given,
    summary,
    count: rows.length,
    rows,
    notes,
    evidence: {
      ...(proof !== undefined && { proof }),
      facts: await prove(
        deps,
        'facts',
        facts,
        [...(restsOn.facts ?? [])].map((sequence) => sequence - 1),
        max,
      ),
      decisions:
        decisions === undefined ? null : await prove(deps, 'decisions', decisions, restsOn.decisions ?? [], max),
    },
  };
};

const asked = async (deps: QuestionsDeps, args: Arguments, sizes: Asked['sizes'], sealedAt: string): Promise<Asked> => {
  const { past, reader, openEngine, clock } = deps;
  const nowMs = clock.now();
  await past.history.grow(sizes.facts);
  const momentAt = (text: string | undefined) =>
    momentOf(past.history, sizes.facts, { text, known: args.known, nowMs });
  const end = momentAt(args.to ?? args.at);
  // An instant is included; of a sequence, the fact itself is.
  const first =
    args.from === undefined ? 1 : /^\d+$/.test(args.from) ? Number(args.from) : momentAt(args.from).sequence + 1;
  const found = async <Type extends FactType>(
    from: number,
    types: readonly Type[],
  ): Promise<readonly FoundFact<Type>[]> => {
    const sequences = types.flatMap((type) => past.history.under(`type ${type}`));
    const read = await past.history.read(sequences.filter((each) => each >= from && each <= end.sequence));
    return read as readonly FoundFact<Type>[];
  };
  const since = args.from === undefined ? undefined : momentAt(args.from).at;
  const until = args.to === undefined ? undefined : new Date(Date.parse(end.at) + 1).toISOString();
  return {
    args,
    past,
    reader,
    openEngine,
    sizes,
    sealedAt,
    moment: end,
    nowMs,
    facts: (...types) => found(first, types),
    allFacts: (...types) => found(1, types),
    typesLike: (pattern) => past.history.types().filter((type) => pattern.test(type)),
    decisions: (query) =>
      findUpTo(reader, 'decisions', { ...(since && { since }), ...(until && { until }), ...query, order: 'oldest' }),
  };
};
