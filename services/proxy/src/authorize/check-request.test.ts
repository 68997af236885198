import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressReader } from '../gate/address.ts';
import { type CheckRequest, readCheckRequest, toAllowed } from './check-request.ts';

type Http = NonNullable<NonNullable<NonNullable<CheckRequest['attributes']>['request']>['http']>;
const addressOf = addressReader(['10.0.0.0/8']);
const read = (http: Http, source = '203.0.113.7') =>
  readCheckRequest(
    { attributes: { source: { address: { socketAddress: { address: source } } }, request: { http } } },
    addressOf,
  );
const described = (http: Http, source?: string) => {
  const request = read(http, source);
  assert.equal(request.outcome, 'described');
  return request.outcome === 'described' ? request : assert.fail();
};
const raw = (...pairs: readonly (readonly [string, string])[]) => ({
  headers: pairs.map(([key, value]) => ({ key, rawValue: Buffer.from(value, 'latin1') })),
});

test('a path in which Envoy may have written "!" for an octet that is no text is not believed, unless it comes raw', () => {
  assert.equal(read({ method: 'GET', path: '/users/!', host: 'a' }).outcome, 'unclear');
  assert.equal(read({ method: 'GET', path: '/users/7?q=!', host: 'a' }).outcome, 'described');
  const asSent = described({ method: 'GET', path: '/users/!', host: 'a', headerMap: raw([':path', '/users/\u00ff']) });
  assert.equal(asSent.head.url, '/users/\u00ff');
});

test('with raw headers the target is theirs alone: a question that holds none, or two, names nothing', () => {
  for (const headerMap of [raw(), raw([':path', '/a'], [':path', '/b'])])
    assert.equal(described({ method: 'GET', path: '/a', host: 'a', headerMap }).head.url, '');
});

test('the caller is the source, or whom a trusted proxy before the gateway speaks for', () => {
  const headers = { 'x-forwarded-for': '198.51.100.9, 10.1.1.1' };
  const http = { method: 'GET', path: '/', host: 'a', headers };
  assert.equal(described(http).head.socket.remoteAddress, '203.0.113.7');
  assert.equal(described(http, '10.1.1.2').head.socket.remoteAddress, '198.51.100.9');
  assert.equal(described(http, '::ffff:203.0.113.8').head.socket.remoteAddress, '203.0.113.8');
  assert.equal(readCheckRequest({ attributes: { request: { http } } }, addressOf).outcome, 'described');
  assert.ok(!described(http).head.rawHeaders.includes('x-forwarded-for'));
});

test('a body counts only where Envoy says that it is whole, and an empty one never', () => {
  const post = (headers: Readonly<Record<string, string>>, body: string) =>
    described({ method: 'POST', path: '/', host: 'a', headers, rawBody: Buffer.from(body) }).body?.toString();
  assert.equal(post({ 'x-envoy-auth-partial-body': 'false' }, '{}'), '{}');
  assert.equal(post({ 'x-envoy-auth-partial-body': 'true' }, '{}'), undefined);
  assert.equal(post({}, '{}'), undefined);
  assert.equal(post({ 'x-envoy-auth-partial-body': 'false' }, ''), undefined);
});

test('a question without a request is none', () => {
  assert.equal(readCheckRequest({}, addressOf).outcome, 'unclear');
});

test('Envoy removes the credential, and a forged assertion where we have no word of our own', () => {
  const allowed = (assertion?: string) =>
    toAllowed({ decision: 'd', observed: false, ...(assertion !== undefined && { assertion }) }).okResponse;
  assert.deepEqual(allowed()?.headersToRemove, ['authorization', 'x-api-key', 'postern-assertion']);
  assert.deepEqual(allowed('mine')?.headersToRemove, ['authorization', 'x-api-key']);
  assert.deepEqual(allowed('mine')?.headers.at(-1), {
    header: { key: 'postern-assertion', value: 'mine' },
    appendAction: 2,
  });
});
