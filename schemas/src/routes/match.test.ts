import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTarget } from './canonical.ts';
import type { Endpoint, Service } from './endpoint.ts';
import { routeMatcher } from './match.ts';

const endpoint = (method: string, template: string, id = `${method} ${template}`): Endpoint =>
  ({ id, method, template, access: 'read' }) as Endpoint;
const service = (mount: string, ...endpoints: Endpoint[]): Service => ({
  name: mount.slice(1) || 'root',
  mount,
  endpoints,
});
const matched = (services: readonly Service[], method: string, path: string) => {
  const target = readTarget(path);
  return target.outcome === 'read' ? routeMatcher(services).match(method, target) : undefined;
};
const idOf = (services: readonly Service[], method: string, path: string) =>
  matched(services, method, path)?.endpoint.id;

const api = service(
  '/api',
  ...[
    'GET /users',
    'GET /users/{id}',
    'GET /users/export',
    'POST /users/import',
    'GET /users/{id}/keys',
    'GET /users/{name}.json',
    'GET /compare/{base}...{head}',
    'GET /files/{path+}',
    'GET /files/{path}/history',
    'GET /',
    'GET /v/{id}:cancel',
    'GET /v/{id}',
    'GET /deep/{a}/x',
    'GET /deep/lit/{b}',
  ].map((route) => endpoint(route.slice(0, route.indexOf(' ')), route.slice(route.indexOf(' ') + 1))),
);

test('a literal goes before a partial, that before a parameter, that before a rest', () => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['GET', '/api/users', 'GET /users'],
    ['GET', '/api/users/7', 'GET /users/{id}'],
    ['HEAD', '/api/users/7', 'GET /users/{id}'],
    ['GET', '/api/users/export', 'GET /users/export'],
    ['GET', '/api/users/import', 'GET /users/{id}'],
    ['POST', '/api/users/import', 'POST /users/import'],
    ['POST', '/api/users/7', undefined],
    ['GET', '/api/users/ann.json', 'GET /users/{name}.json'],
    ['GET', '/api/users/.json', 'GET /users/{id}'],
    ['GET', '/api/compare/a...b', 'GET /compare/{base}...{head}'],
    ['GET', '/api/compare/a..b', undefined],
    ['GET', '/api/compare/...', undefined],
    ['GET', '/api/files/a/b/c', 'GET /files/{path+}'],
    ['GET', '/api/files/a/history', 'GET /files/{path}/history'],
    ['GET', '/api/files/a/b/history', 'GET /files/{path+}'],
    ['GET', '/api/files', undefined],
    ['GET', '/api/files/', undefined],
    ['GET', '/api/files/a/', undefined],
    ['GET', '/api/', 'GET /'],
    ['GET', '/api', undefined],
    ['GET', '/api/users/', undefined],
    ['GET', '/apiusers', undefined],
    ['GET', '/api2/users', undefined],
    ['PUT', '/api/users', undefined],
    ['GET', '/api/v/1:cancel', 'GET /v/{id}:cancel'],
    ['GET', '/api/v/1%3Acancel', 'GET /v/{id}:cancel'],
    ['GET', '/api/deep/lit/x', 'GET /deep/lit/{b}'],
    ['GET', '/api/deep/lit2/x', 'GET /deep/{a}/x'],
    // In another case than a literal's: no placeholder takes it, for the server behind may ignore case.
    ['GET', '/api/users/EXPORT', undefined],
    ['GET', '/api/USERS', undefined],
    ['GET', '/API/users', undefined],
    ['GET', '/api/v/1:CANCEL', undefined],
    ['GET', '/api/files/a/HISTORY', undefined],
    ['GET', '/api/users/Import', 'GET /users/{id}'],
  ];
  for (const [method, path, id] of rows) assert.equal(idOf([api], method, path), id, `${method} ${path}`);
});

test('parameters are the decoded values, whatever their names', () => {
  assert.deepEqual({ ...matched([api], 'GET', '/api/users/x%20y')?.parameters }, { id: 'x y' });
  assert.deepEqual(
    { ...matched([api], 'GET', '/api/compare/v1.2...v1.3')?.parameters },
    { base: 'v1.2', head: 'v1.3' },
  );
  assert.deepEqual({ ...matched([api], 'GET', '/api/files/a/%C3%A9')?.parameters }, { path: 'a/é' });
  const odd = service('/o', endpoint('GET', '/{__proto__}/{constructor}'));
  assert.deepEqual(Object.entries(matched([odd], 'GET', '/o/1/2')?.parameters ?? {}), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
});

test('the path below the mount keeps its octets', () => {
  assert.equal(matched([api], 'GET', '/api/users/x%20y')?.below, '/users/x%20y');
  assert.equal(matched([service('/', endpoint('GET', '/a'))], 'GET', '/a')?.below, '/a');
});

test('the deepest mount owns its paths: nothing falls back to a shallower one', () => {
  const root = service('/', endpoint('GET', '/{a}/{b}'));
  const inner = service('/api/v2', endpoint('GET', '/things'));
  assert.equal(idOf([root, api, inner], 'GET', '/api/nothing'), undefined);
  assert.equal(idOf([root, api, inner], 'GET', '/other/x'), 'GET /{a}/{b}');
  assert.equal(idOf([root, api, inner], 'GET', '/Api/x'), undefined);
  assert.equal(idOf([root, api, inner], 'GET', '/api/v2/things'), 'GET /things');
  assert.equal(idOf([root, api, inner], 'GET', '/api/v2/users'), undefined);
});

test('an endpoint whose template cannot be read matches nothing', () => {
  const broken = service(
    '/b',
    endpoint('GET', '/{a+}/x'),
    endpoint('GET', '/v{a+}'),
    endpoint('GET', '/{a}{b}'),
    endpoint('GET', '/ok'),
  );
  assert.equal(idOf([broken], 'GET', '/b/1/x'), undefined);
  assert.equal(idOf([broken], 'GET', '/b/v1'), undefined);
  assert.equal(idOf([broken], 'GET', '/b/ok'), 'GET /ok');
});

const seed = Number(process.env['SEED'] ?? 20261124);
const part = fc.constantFrom('a', 'b', 'A', '{x}', '{y}.json', 'v{z}');
const templates = fc.uniqueArray(
  fc.tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean()).map(([parts, rest]) => {
    const named = parts.map((text, index) => text.replace(/\{(\w)\}/, `{$1${index}}`));
    return `/${[...named, ...(rest ? ['{rest+}'] : [])].join('/')}`;
  }),
  { minLength: 1, maxLength: 8 },
);
const requestPath = fc
  .array(fc.constantFrom('a', 'b', 'A', 'B', 'q', 'q.json', 'v1', 'V1', 'v1.json'), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`);
const toPattern = (template: string, flags = ''): RegExp =>
  new RegExp(
    `^${template
      .replaceAll('.', '\\.')
      .replace(/\{\w+\+\}/, '.+')
      .replace(/\{\w+\}/g, '[^/]+')}$`,
    flags,
  );

test(`agrees with the templates read as patterns: matches only what one of them matches (seed ${seed})`, () => {
  let hits = 0;
  fc.assert(
    fc.property(templates, requestPath, (all, path) => {
      const services = [service('/m', ...all.map((template) => endpoint('GET', template, template)))];
      const id = idOf(services, 'GET', `/m${path}`);
      const fitting = all.filter((template) => toPattern(template).test(path));
      if (id !== undefined) {
        hits++;
        assert.ok(fitting.includes(id), `${path} went to ${id}`);
      } else if (fitting.length > 0) {
        // Refused although a template fits: only because another one fits when case is ignored.
        const folded = all.filter((template) => toPattern(template, 'i').test(path));
        assert.ok(folded.length > fitting.length, `${path} fits ${fitting}`);
      }
    }),
    { numRuns: 5_000, seed },
  );
  assert.ok(hits > 300, `only ${hits} hits`);
});
