/** Who could, what could, could they, and what changed: asked of the real engine, of any moment of the log. */
import type { Relationships } from '@postern/relationships';
import {
  EndpointId,
  type GrantWay,
  objectsOf,
  Problem,
  type RoleRules,
  readTarget,
  routeMatcher,
  type Service,
  type TracedRight,
} from '@postern/schemas';
import { type History, history } from './history.ts';
import { type Known, type Moment, momentOf } from './moment.ts';
import { pastEngine, type QuestionsOver } from './past-engine.ts';
import { type Slice, slices } from './slice.ts';

/** What of the authorizer's questions is asked here. */
export type PastQuestions = {
  readonly can: (query: unknown, nowMs: number) => Promise<CanAnswer>;
  readonly who: (endpoint: string) => Promise<{
    readonly public: boolean;
    readonly subjects: readonly { readonly subject: string; readonly conditional: boolean }[];
  }>;
  readonly what: (
    subject: string,
  ) => Promise<{ readonly endpoints: readonly { readonly endpoint: string; readonly conditional: boolean }[] }>;
  readonly ways: (subject: string, endpoint: string) => readonly GrantWay[];
};
export type AskPast = QuestionsOver<PastQuestions>;
export type CanAnswer = { readonly decision: 'allow' | 'deny'; readonly [member: string]: unknown };
export type PastDeps = {
  readonly entries: Parameters<typeof history>[0];
  readonly openEngine: () => Promise<Relationships>;
  readonly askPast: AskPast;
};

export type Past = AsyncDisposable & {
  readonly history: History;
  readonly moment: (
    size: number,
    of: { readonly text: string | undefined; readonly known: Known; readonly nowMs: number },
  ) => Promise<Moment>;
  readonly who: (
    endpoint: string,
    moment: Moment,
  ) => Promise<{ readonly public: boolean; readonly rights: readonly TracedRight[] }>;
  readonly what: (subject: string, moment: Moment) => Promise<readonly TracedRight[]>;
  /** `query` as of `GET can`. */
  readonly can: (query: CanQuery, moment: Moment) => Promise<CanAnswer>;
  /** What was published and defined: schema, services and roles. */
  readonly model: (moment: Moment) => Promise<PastModel>;
  /** Where the subject's slice is needed for more than an answer. */
  readonly sliceOf: (subject: string, moment: Moment) => Promise<Slice>;
};
export type PastModel = {
  readonly schema: string | null;
  readonly services: readonly Service[];
  readonly roles: readonly ({ readonly role: string } & RoleRules)[];
};
export type CanQuery = {
  readonly subject: string;
  readonly method: string;
  readonly path: string;
  readonly [member: string]: string | undefined;
};

/** Answers kept: the past does not change. */
const keptMax = 200;

export const past = ({ entries, openEngine, askPast }: PastDeps): Past => {
  const known = history(entries);
  const slice = slices(known);
  const engine = pastEngine(openEngine, askPast);
  const kept = new Map<string, Promise<unknown>>();
  const once = <Answer>(key: readonly unknown[], work: () => Promise<Answer>): Promise<Answer> => {
    const name = JSON.stringify(key);
    const before = kept.get(name) as Promise<Answer> | undefined;
    if (before !== undefined) return before;
    const mine = work();
    kept.set(name, mine);
    // What failed is tried again.
    mine.catch(() => kept.delete(name));
    const [oldest] = kept.keys();
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest);
    return mine;
  };
  /** What an answer depends on: of what was known then, not on how far the log has grown since. */
  const placeOf = ({ sequence, at, known: how }: Moment) => [sequence, how === 'now' ? at : '', how];

  const right =
    ({ organisation }: Slice, { ways }: PastQuestions) =>
    (subject: string, endpoint: string, conditional: boolean): TracedRight => ({
      subject,
      endpoint,
      conditional,
      paths: ways(subject, endpoint).map((way) => {
        const { grants } = organisation;
        const { origin, issued, ticket, request, approvals } = grants.get(way.grant as never) ?? {};
        return {
          ...way,
          ...(origin !== undefined && { origin }),
          ...(issued !== undefined && { issued }),
          ...(ticket !== undefined && { ticket }),
          ...(request !== undefined && { request }),
          ...(approvals !== undefined && { approvals }),
        };
      }),
    });

  return {
    history: known,
    moment: async (size, of) => {
      await known.grow(size);
      return momentOf(known, size, of);
    },
    who: (endpoint, moment) =>
      once(['who', endpoint, ...placeOf(moment)], async () => {
        const found = await slice.ofEndpoint(parseEndpoint(endpoint), moment);
        return engine.ask(found, async (questions) => {
          const { public: open, subjects } = await questions.who(endpoint);
          const toRight = right(found, questions);
          const rights = subjects.map(({ subject, conditional }) => toRight(subject, endpoint, conditional));
          return { public: open, rights };
        });
      }),
    what: (subject, moment) =>
      once(['what', subject, ...placeOf(moment)], async () => {
        const found = await slice.ofSubject(subject, moment);
        // Of a key that is not live nothing can be asked, and it may do nothing.
        if (subject.startsWith('credential:') && !found.organisation.credentials.has(subject as never)) return [];
        return engine.ask(found, async (questions) => {
          const { endpoints } = await questions.what(subject);
          const toRight = right(found, questions);
          return endpoints.map(({ endpoint, conditional }) => toRight(subject, endpoint, conditional));
        });
      }),
    can: (query, moment) =>
      once(['can', query, moment.at, ...placeOf(moment)], async () => {
        const bare = await slice.ofSubject(query.subject, moment);
        const objects = objectsIn(bare, query);
        const found = objects.length === 0 ? bare : await slice.ofSubject(query.subject, moment, { objects });
        return engine.ask(found, ({ can }) => can({ at: moment.at, ...query }, Date.parse(moment.at)));
      }),
    model: (moment) =>
      once(['model', ...placeOf(moment)], async () => {
        const { organisation } = await slice.ofModel(moment);
        return {
          schema: organisation.schema ?? null,
          services: [...organisation.services.values()],
          roles: [...organisation.roles].map(([role, rules]) => ({ role, ...rules })),
        };
      }),
    sliceOf: (subject, moment) => slice.ofSubject(subject, moment),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
};

/** The objects that the path names; the authorizer says what is wrong with a path that cannot be read. */
const objectsIn = ({ organisation }: Slice, { method, path }: CanQuery): string[] => {
  const target = readTarget(path);
  if (target.outcome !== 'read') return [];
  const match = routeMatcher(organisation.services.values()).match(method, target);
  if (match === undefined) return [];
  const named = objectsOf(match);
  return named.outcome === 'named' ? named.objects.map(({ resource }) => resource) : [];
};

const parseEndpoint = (text: string): EndpointId => {
  const endpoint = EndpointId.safeParse(text);
  if (endpoint.success) return endpoint.data;
  throw new Problem('audit/bad-query', {
    detail: `"${text.slice(0, 60)}" is no endpoint`,
    fix: 'Write SERVICE/OPERATION.',
  });
};
