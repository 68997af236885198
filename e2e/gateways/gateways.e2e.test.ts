/**
 * Gateways that are not ours, each as it is installed, on the configuration of docs/how-to/keep-your-gateway.md: they let through what
 * Postern allows, with its word for the API, and nothing else. One that is not on the machine is skipped: e2e/load/peers/install.sh.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import { type GatewayName, startGateway } from '../load/peers/gateway.ts';
import { foundProgram, type Program } from '../load/peers/programs.ts';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { freeAddresses } from '../world/processes.ts';
import { type Documented, documentedFiles } from './documented.ts';

const token = 'known-to-the-gateways';
let world: OwnWorld;
let extAuthz: string;
before(async () => {
  [extAuthz = ''] = await freeAddresses(1);
  world = await ownWorld({
    files: {
      'routes.yaml':
        '- GET /employees/{id}\n- PUT /employees/{id}: { access: admin }\n- POST /employees\n- GET /health: { public: true }\n- GET /live: { websocket: true }\n',
      'api.yaml':
        'openapi: 3.1.0\ninfo: { title: Payroll, version: "1" }\npaths:\n  /employees:\n    get: { operationId: listEmployees }\n',
      'shop.graphql': 'type Query { product: String orders: String }\n',
      'roles.yaml':
        'reader:\n  allows: [{ service: payroll, access: read }, { service: payroll, access: write }, { endpoint: shop/query.product }]\n',
      'gateways.token': `${token}\n`,
    },
    services: {
      payroll: { mount: '/payroll', openapi: './api.yaml', routes: './routes.yaml' },
      shop: { mount: '/shop', graphql: { schema: './shop.graphql' } },
    },
    config: { gateways: { trusted: ['127.0.0.1/32'], tokenFile: './gateways.token', extAuthz } },
  });
  await world.start();
});
after(() => world?.[Symbol.asyncDispose]());

const postern = async (path: string, method: string, body?: object): Promise<Record<string, unknown>> => {
  const response = await fetch(`${world.gate}/.postern${path}`, {
    method,
    headers: {
      'x-api-key': await world.key(),
      'content-type': path.startsWith('/events') ? 'application/cloudevents+json' : 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
};

type Answer = { readonly status: number; readonly text: string; readonly headers: Headers };
const problemOf = ({ text }: Answer): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
/** The status of whatever comes back to octets that no client would send. */
const rawStatus = (port: number, text: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (said.includes('\r\n')) socket.destroy();
    });
    socket.on('close', () => resolve(Number(said.split(' ')[1] ?? 0)));
    socket.on('error', reject);
  });

for (const gateway of [
  'nginx',
  'caddy',
  'traefik',
  'envoy',
  'envoy over HTTP',
] as const satisfies readonly Documented[]) {
  const program: GatewayName = gateway === 'envoy over HTTP' ? 'envoy' : gateway;
  const skip = foundProgram(program) === undefined && `${program} is not on this machine`;
  describe(`${gateway}, asking Postern`, { skip }, () => {
    let running: Program;
    let url: string;
    let port: number;
    let ann: string;
    let grant: string;
    const subject = `ann-${gateway.replaceAll(' ', '-')}`;
    const call = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> => {
      const response = await fetch(`${url}${path}`, { method, headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    const reachedBy = async (act: () => Promise<unknown>) => {
      const from = world.api.reached.length;
      await act();
      return world.api.reached.slice(from);
    };
    before(async () => {
      const [address = ''] = await freeAddresses(1);
      url = `http://${address}`;
      port = Number(new URL(url).port);
      const [api, gate] = [new URL(world.api.url).host, new URL(world.gate).host];
      const texts = documentedFiles(gateway, { gateway: address, postern: gate, extAuthz, api, token });
      running = await startGateway(program, texts, join(world.folder, gateway.replaceAll(' ', '-')), port);
      await postern('/events?wait=enforced', 'POST', {
        ...{ specversion: '1.0', id: subject, source: '/e2e', type: 'postern.person.joined.v1' },
        ...{ subject: `user:${subject}`, data: {} },
      });
      const issued = await postern('/grants?wait=enforced', 'POST', {
        ...{ subject: `user:${subject}`, role: 'reader', reason: 'journey' },
      });
      grant = String(issued['id']);
      ann = await world.issuer.token(subject);
      // Its own start is over when the first question gets through to Postern.
      while ((await call('/payroll/health')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    after(() => running?.close());

    test('an allowed request reaches the API as it was, with Postern’s word and without the credential', async () => {
      const [reached] = await reachedBy(async () => {
        const answer = await call('/payroll/employees/x%20y?full=1', {
          authorization: `Bearer ${ann}`,
          'postern-assertion': 'forged',
          'postern-decision': 'forged',
        });
        assert.equal(answer.status, 200, running.output());
        // Traefik shows a client nothing of an answer that lets its request pass.
        if (gateway !== 'traefik') assert.notEqual(answer.headers.get('postern-decision'), null);
        assert.equal(answer.headers.get('postern-assertion'), null);
      });
      assert.equal(reached?.url, '/payroll/employees/x%20y?full=1');
      assert.deepEqual([reached.headers.authorization, reached.headers['postern-gateway']], [undefined, undefined]);
      const { keys } = (await (await fetch(`${world.gate}/.well-known/jwks.json`)).json()) as { keys: JWK[] };
      const { payload } = await jwtVerify(String(reached.headers['postern-assertion']), createLocalJWKSet({ keys }), {
        audience: 'payroll',
        issuer: 'postern',
        algorithms: ['EdDSA'],
      });
      assert.equal(payload.sub, `user:${subject}`);
      assert.notEqual(reached.headers['postern-decision'], 'forged');
    });

    test('where nobody is named, the API is told of nobody, whatever the client says', async () => {
      const [reached] = await reachedBy(() => call('/payroll/health', { 'postern-assertion': 'forged' }));
      assert.ok([undefined, ''].includes(reached?.headers['postern-assertion'] as string | undefined));
    });

    test('a refusal is the gate’s own: status, problem, decision, and how to come again', async () => {
      const reached = await reachedBy(async () => {
        const anonymous = await call('/payroll/employees/7');
        assert.equal(anonymous.status, 401);
        assert.equal(anonymous.headers.get('www-authenticate'), 'Bearer');
        assert.match(anonymous.headers.get('content-type') ?? '', /^application\/problem\+json/);
        assert.equal(problemOf(anonymous)['type'], 'urn:postern:problem:proxy/no-credential');
        assert.equal(problemOf(anonymous)['decision'], anonymous.headers.get('postern-decision'));
        const refused = await call('/payroll/employees/7', { authorization: `Bearer ${ann}` }, 'PUT');
        assert.equal(refused.status, 403);
        assert.equal(problemOf(refused)['type'], 'urn:postern:problem:proxy/denied');
        assert.equal(problemOf(refused)['decision'], refused.headers.get('postern-decision'));
        const escaped = await call('/payroll/employees/7;admin=1', { authorization: `Bearer ${ann}` });
        assert.equal(escaped.status, 400);
        assert.equal(problemOf(escaped)['type'], 'urn:postern:problem:proxy/ambiguous-request');
      });
      assert.deepEqual(reached, []);
    });

    test('a body reaches the API whole, and what it calls is judged where the gateway shows it, else refused', async () => {
      const post = async (path: string, body: string): Promise<number> => {
        const headers = { authorization: `Bearer ${ann}`, 'content-type': 'application/json' };
        return (await fetch(`${url}${path}`, { method: 'POST', headers, body })).status;
      };
      const sent = JSON.stringify({ name: 'x'.repeat(20_000) });
      const [reached] = await reachedBy(async () => assert.equal(await post('/payroll/employees', sent), 200));
      assert.equal(reached?.body.toString(), sent);
      const product = '{"query":"{ product }"}';
      const shown = gateway === 'envoy';
      const calls = await reachedBy(async () => {
        assert.equal(await post('/shop/graphql', product), shown ? 200 : 400);
        assert.equal(await post('/shop/graphql', '{"query":"{ product orders }"}'), shown ? 403 : 400);
      });
      assert.deepEqual(
        calls.map(({ body }) => body.toString()),
        shown ? [product] : [],
      );
    });

    test('an endpoint that is not declared to switch protocols is never asked to', async () => {
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
      const lines = [...upgrade, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', `Authorization: Bearer ${ann}`];
      const reached = await reachedBy(async () => {
        const head = `GET /payroll/employees/7 HTTP/1.1\r\nHost: api.test\r\n${lines.join('\r\n')}\r\n\r\n`;
        const status = await rawStatus(port, head);
        // Caddy shows what is asked for, and so Postern refuses it.
        if (gateway === 'caddy') assert.equal(status, 400);
      });
      assert.ok(reached.every(({ headers }) => headers.upgrade === undefined));
    });

    test('a client that describes its request itself, or sends what can be read in two ways, gets nowhere', async () => {
      const spoofs: readonly Record<string, string>[] = [
        { 'x-original-method': 'GET', 'x-original-uri': '/payroll/health' },
        { 'x-original-url': 'http://api.test/payroll/health' },
        { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/payroll/health', 'x-forwarded-host': 'api.test' },
        { 'x-forwarded-for': '127.0.0.1', 'postern-gateway': token },
      ];
      const targets = [
        ...['/payroll/health/../employees/7', '/payroll/health/..;/employees/7', '/payroll/health/%2e%2e/employees/7'],
        ...[
          '/payroll/health%2F..%2Femployees/7',
          '//payroll/employees/7',
          '/payroll/employees/\u00ff',
          '/payroll\\health',
        ],
      ];
      const reached = await reachedBy(async () => {
        for (const spoof of spoofs) {
          const { status } = await call('/payroll/employees/7', spoof);
          assert.ok([400, 401, 403].includes(status), `${JSON.stringify(spoof)}: ${status}`);
          const asked = await call('/.postern/authorize/forward', spoof);
          assert.ok([400, 401, 403].includes(asked.status), `${JSON.stringify(spoof)}: ${asked.status}`);
        }
        for (const target of targets) {
          const status = await rawStatus(port, `GET ${target} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n`);
          assert.ok(status >= 400 || status === 307 || status === 308 || status === 301, `${target}: ${status}`);
        }
      });
      assert.deepEqual(
        reached.map(({ url }) => url),
        [],
      );
    });

    test('the decision is in the record, as one that another gateway acted on', async () => {
      const [reached] = await reachedBy(() => call('/payroll/employees/8', { authorization: `Bearer ${ann}` }));
      const decision = reached?.headers['postern-decision'];
      for (;;) {
        const found = await postern(`/audit/decisions?subject=user:${subject}`, 'GET');
        const text = JSON.stringify(found);
        if (text.includes(String(decision))) {
          assert.ok(text.includes(program === 'envoy' ? '"via":"ext-authz"' : '"via":"forward"'), text);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });

    test('once a revocation is enforced, the gateway lets nothing more through', async () => {
      await postern(`/grants/${grant}?wait=enforced`, 'DELETE', { reason: 'journey' });
      const reached = await reachedBy(async () => {
        for (let count = 0; count < 20; count++)
          assert.equal((await call('/payroll/employees/7', { authorization: `Bearer ${ann}` })).status, 403);
      });
      assert.deepEqual(reached, []);
    });
  });

  test(`${gateway} lets nothing through while it cannot reach Postern`, { skip }, async () => {
    const [own = '', nobody = '', nobodyElse = ''] = await freeAddresses(3);
    const api = new URL(world.api.url).host;
    const texts = documentedFiles(gateway, { gateway: own, postern: nobody, extAuthz: nobodyElse, api, token });
    const folder = join(world.folder, `${gateway.replaceAll(' ', '-')}-alone`);
    const running = await startGateway(program, texts, folder, Number(new URL(`http://${own}`).port));
    try {
      const from = world.api.reached.length;
      for (let count = 0; count < 3; count++) {
        let response = await fetch(`http://${own}/payroll/health`);
        // Traefik takes connections before it has read its routes.
        while (gateway === 'traefik' && response.status === 404) response = await fetch(response.url);
        assert.ok(response.status >= 400, `${response.status} ${await response.text()}`);
      }
      assert.equal(world.api.reached.length, from);
    } finally {
      await running.close();
    }
  });
}
