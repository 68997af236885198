/** The API behind the gate: it believes the gate's assertion and nothing else, and remembers what reached it. */
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import { startHttp } from './stub-server.ts';

export type Reached = {
  readonly method: string;
  readonly path: string;
  readonly subject: string;
  readonly decision: string;
  readonly traceparent: string | undefined;
};

export type Upstream = AsyncDisposable & {
  readonly url: string;
  /** In the order in which the calls came. */
  readonly reached: readonly Reached[];
};

/** `gates` are asked for the keys of assertions; any of them may know one that another does not know yet. */
export const startUpstream = async (gates: readonly string[]): Promise<Upstream> => {
  const reached: Reached[] = [];
  let keys = new Map<string | undefined, JWK>();
  const keyNamed = async (kid: string | undefined): Promise<JWK[]> => {
    if (keys.has(kid)) return [...keys.values()];
    const answers = await Promise.allSettled(
      gates.map(async (gate) => (await fetch(`${gate}/.well-known/jwks.json`)).json() as Promise<{ keys: JWK[] }>),
    );
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.keys : []));
    keys = new Map(found.map((key) => [key.kid, key]));
    return [...keys.values()];
  };
  const subjectOf = async (assertion: string | undefined): Promise<string | undefined> => {
    try {
      const known = await keyNamed(decodeProtectedHeader(assertion ?? '').kid);
      const { payload } = await jwtVerify(assertion ?? '', createLocalJWKSet({ keys: known }), {
        audience: 'payroll',
        issuer: 'postern',
        algorithms: ['EdDSA'],
      });
      return payload.sub;
    } catch {
      return undefined;
    }
  };
  const server = await startHttp((request, response) => {
    const { headers, method = '', url: path = '' } = request;
    const one = (name: string): string | undefined => [headers[name]].flat()[0];
    void subjectOf(one('postern-assertion')).then((subject) => {
      if (subject === undefined) return response.writeHead(401).end('{"error":"come through the gate"}');
      reached.push({
        method,
        path,
        subject,
        decision: one('postern-decision') ?? '',
        traceparent: one('traceparent'),
      });
      if (path !== '/feed') return response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const tick = (): void => void response.write('data: tick\n\n');
      tick();
      const timer = setInterval(tick, 100);
      return response.on('close', () => clearInterval(timer));
    });
  });
  return { ...server, reached };
};
