/** SCIM 2.0 at /.postern/scim/v2: HTTP in and out; everything in here is read, carried out and shown elsewhere. */
import type { ProfileKind, ProfileStore } from '@postern/profiles';
import { toProblem } from '@postern/runtime';
import { Problem, posternMount, type Sequence } from '@postern/schemas';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actorOf, Wait } from '../routes/answer.ts';
import type { RouteDeps } from '../routes/deps.ts';
import type { Together } from '../together.ts';
import { bulk, payloadBytesMax } from './bulk.ts';
import { type Change, carryingOut, type Outcome } from './changes.ts';
import { resourceTypes, schemas, serviceProviderConfig } from './documents.ts';
import { codeHeader, errorBody, notFound } from './failures.ts';
import type { ScimConfig } from './people.ts';
import { tagsIn } from './planning.ts';
import { find, listUrn, type Query, readQuery, selectionOf } from './query.ts';
import { locationOf, type Shown, select, shown } from './show.ts';

export type ScimDeps = RouteDeps & { readonly profiles: ProfileStore; readonly together: Together };

const mount = '/scim/v2';
const contentType = 'application/scim+json';
const kinds: readonly ProfileKind[] = ['User', 'Group'];
type One = { Params: { id: string } };

export const scimRoutes = (app: FastifyInstance, deps: ScimDeps, config: ScimConfig): void => {
  const { profiles, together, state, clock, enforcer } = deps;
  const carryOut = carryingOut({ profiles, together, state, clock }, config);
  void app.register(
    async (scim) => {
      scim.removeAllContentTypeParsers();
      scim.addContentTypeParser(
        [contentType, 'application/json'],
        { parseAs: 'string', bodyLimit: payloadBytesMax },
        (_request, body, done) => {
          try {
            done(null, body === '' ? undefined : JSON.parse(String(body)));
          } catch (error) {
            done(
              new Problem('grants/scim-invalid', {
                detail: `the body is not JSON: ${(error as Error).message}`,
                members: { scimType: 'invalidSyntax' },
              }),
            );
          }
        },
      );
      scim.setErrorHandler((error, request, reply) => {
        const problem = toScim(error);
        const body = errorBody(problem);
        if (problem.status >= 500 && problem.status !== 501) request.log.error({ err: error }, problem.message);
        return reply.code(Number(body.status)).header(codeHeader, problem.code).type(contentType).send(body);
      });

      const answer = (reply: FastifyReply, body: object, status = 200): FastifyReply =>
        reply.code(status).type(contentType).send(body);
      const listed = (all: readonly object[]): object => ({
        schemas: [listUrn],
        totalResults: all.length,
        itemsPerPage: all.length,
        startIndex: 1,
        Resources: all,
      });
      /** `?wait=enforced` as everywhere in Postern's own API. */
      const enforced = async (request: FastifyRequest, sequence: Sequence): Promise<void> => {
        if (Wait.parse(request.query).wait !== 'enforced') return;
        const result = await enforcer.enforced(sequence);
        if (result.outcome === 'not-yet')
          throw new Problem('grants/not-enforced-yet', {
            detail: `the change has sequence ${sequence}; not confirmed by ${result.waitingFor.join(', ')}`,
          });
      };

      scim.get('/ServiceProviderConfig', async (request, reply) =>
        answer(reply, serviceProviderConfig(baseOf(request))),
      );
      for (const [name, all] of [
        ['ResourceTypes', resourceTypes],
        ['Schemas', schemas],
      ] as const) {
        scim.get(`/${name}`, async (request, reply) => {
          if (readQuery(request.query).filter !== undefined)
            return reply
              .code(403)
              .type(contentType)
              .send({
                ...errorBody(new Problem('grants/scim-invalid', { detail: `${name} are not filtered (RFC 7644 §4)` })),
                status: '403',
              });
          return answer(reply, listed(all(baseOf(request))));
        });
        scim.get<One>(`/${name}/:id`, async (request, reply) => {
          const found = all(baseOf(request)).find(({ id }) => id === request.params.id);
          if (found === undefined) throw notFound(`${name}/${request.params.id}`);
          return answer(reply, found);
        });
      }

      const query = async (request: FastifyRequest, reply: FastifyReply, which: readonly ProfileKind[], asked: Query) =>
        answer(reply, await find(which, asked, { profiles, organisation: state.organisation, base: baseOf(request) }));
      scim.post('/.search', async (request, reply) => query(request, reply, kinds, readQuery(request.body)));

      for (const kind of kinds) {
        const collection = `/${kind}s`;
        const change = async (request: FastifyRequest, reply: FastifyReply, more: Omit<Change, 'kind' | 'base'>) => {
          const base = baseOf(request);
          const asked = readQuery(request.query);
          // Looked at before anything is changed.
          const selection = selectionOf(asked);
          select(kind, { id: '' }, selection);
          const ifMatch = request.headers['if-match'];
          const [outcome] = await carryOut(
            [{ kind, base, ...(ifMatch !== undefined && { ifMatch }), ...more }],
            actorOf(request),
          );
          const { status, profile, sequence } = requireDone(outcome);
          await enforced(request, sequence);
          if (status === 204) return reply.code(204).send();
          const resource = shown(profile, state.organisation, base);
          if (status === 201) reply.header('location', locationOf(profile, base));
          return answer(tagged(reply, resource), select(kind, resource, selection), status);
        };

        scim.get(collection, async (request, reply) => query(request, reply, [kind], readQuery(request.query)));
        scim.post(`${collection}/.search`, async (request, reply) =>
          query(request, reply, [kind], readQuery(request.body)),
        );
        scim.get<One>(`${collection}/:id`, async (request, reply) => {
          const selection = selectionOf(readQuery(request.query));
          const [profile] = await profiles.find(kind, 'id', [request.params.id]);
          if (profile === undefined) throw notFound(`there is no ${kind} ${request.params.id}`);
          const resource = shown(profile, state.organisation, baseOf(request));
          const unchanged = request.headers['if-none-match'];
          if (
            typeof unchanged === 'string' &&
            (unchanged.trim() === '*' || tagsIn(unchanged).includes(versionOf(resource)))
          )
            return tagged(reply, resource).code(304).send();
          return answer(tagged(reply, resource), select(kind, resource, selection));
        });
        scim.post(collection, async (request, reply) => change(request, reply, { method: 'POST', body: request.body }));
        for (const method of ['PUT', 'PATCH', 'DELETE'] as const)
          scim.route<One>({
            method,
            url: `${collection}/:id`,
            handler: async (request, reply) =>
              change(request, reply, {
                method,
                id: request.params.id,
                ...(method !== 'DELETE' && { body: request.body }),
              }),
          });
      }

      scim.post('/Bulk', async (request, reply) => {
        const { answer: body, outcomes } = await bulk(request.body, actorOf(request), {
          carryOut,
          config,
          nowMs: () => clock.now(),
          base: baseOf(request),
        });
        const last = Math.max(
          0,
          ...outcomes.map((outcome) => ('sequence' in outcome ? outcome.sequence : 0)),
        ) as Sequence;
        await enforced(request, last);
        return answer(reply, body);
      });

      const served: readonly [RegExp, string][] = [
        [/^\/(ServiceProviderConfig|ResourceTypes|Schemas)(\/[^/]+)?$/, 'GET'],
        [/^\/(Users|Groups)$/, 'GET, POST'],
        [/^\/(Users|Groups)\/[^/]+$/, 'GET, PUT, PATCH, DELETE'],
        [/^\/((Users|Groups)\/)?\.search$/, 'POST'],
        [/^\/Bulk$/, 'POST'],
      ];
      scim.all('/*', async (request, reply) => {
        const path = `/${(request.params as { '*': string })['*']}`;
        if (/^\/Me(\/|$)/i.test(path))
          throw new Problem('grants/scim-not-implemented', {
            detail: '/Me: whoever calls here is a client that provisions others (RFC 7644 §3.11)',
          });
        const methods = served.find(([pattern]) => pattern.test(path))?.[1];
        if (methods === undefined) throw notFound(`nothing is served at ${path}`);
        reply.header('allow', methods);
        throw new Problem('grants/scim-method', { detail: `${path} takes ${methods}` });
      });
    },
    { prefix: mount },
  );
};

const versionOf = (resource: Shown): string => (resource['meta'] as { version: string }).version;
const tagged = (reply: FastifyReply, resource: Shown): FastifyReply => reply.header('etag', versionOf(resource));

const requireDone = (outcome: Outcome | undefined) => {
  if (outcome === undefined) throw new Problem('grants/contended', { fix: 'Send it again.' });
  if ('problem' in outcome) throw outcome.problem;
  return outcome;
};

/** The address that the client called: the gate says it, and nobody else can. */
const baseOf = ({ headers, host }: FastifyRequest): string => {
  const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
  return `${one(headers['x-forwarded-proto']) ?? 'http'}://${one(headers['x-forwarded-host']) ?? host}${posternMount}${mount}`;
};

/** What the parser refuses, in SCIM's words. */
const toScim = (error: unknown): Problem => {
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413)
    return new Problem('grants/scim-too-large', { detail: `a body has at most ${payloadBytesMax} bytes` });
  const problem = toProblem(error);
  return problem.code === 'runtime/bad-request'
    ? new Problem('grants/scim-invalid', {
        ...(problem.detail !== undefined && { detail: problem.detail }),
        members: { scimType: 'invalidSyntax' },
        cause: error,
      })
    : problem;
};
