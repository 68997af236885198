/** A gate whose assertions a room in a test believes, and a way to call the room with them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { type AssertionKeys, assertionHeader, assertionIssuer, type Room } from '@postern/runtime';
import { posternMount, posternService } from '@postern/schemas';

export type Gate = {
  readonly keys: AssertionKeys;
  /** GET below /.postern/audit/, as the gate would forward it. */
  readonly get: (service: Room, path: string, accept?: string) => Promise<Answer>;
  readonly post: (service: Room, path: string, body: object) => Promise<Answer>;
};
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
  readonly text: string;
};

export const testGate = (): Gate => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (): string => {
    const iat = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: assertionIssuer,
      aud: posternService,
      sub: 'user:auditor',
      endpoint: 'postern/audit',
      iat,
      exp: iat + 30,
    };
    const input = `${encode({ alg: 'EdDSA', typ: 'postern-assertion+jwt', kid: 'test' })}.${encode(claims)}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'EdDSA' };
  const call = async (
    service: Room,
    asked: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string },
  ): Promise<Answer> => {
    const { method, path, headers, body } = asked;
    const answer = await service.http.inject({
      method,
      url: `${posternMount}/audit/${path}`,
      headers: { [assertionHeader]: token(), ...headers },
      ...(body !== undefined && { payload: body }),
    });
    if (answer === undefined) throw new Error('the service has no HTTP API');
    return { status: answer.statusCode, headers: answer.headers, bytes: answer.rawPayload, text: answer.payload };
  };
  return {
    keys: { current: () => [jwk as never] },
    get: (service, path, accept = 'application/json') => call(service, { method: 'GET', path, headers: { accept } }),
    post: (service, path, body) =>
      call(service, {
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
};
