import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { type Credential, Organisation } from '@postern/schemas';
import { handClock } from '../trial/clock.ts';
import { identifyByApiKey } from './api-key.ts';
import { clientCertificates } from './client-certificates.ts';
import { proofChecker } from './dpop.ts';
import { identifier } from './identify.ts';
import { identityHolds } from './identity.ts';
import { opaqueIdentifier } from './introspection.ts';
import { jwtIdentifier } from './jwt.ts';

const key = `psk_${'k'.repeat(43)}`;
const setUp = (until?: string) => {
  const organisation = new Organisation();
  const credential = {
    id: 'credential:k1',
    owner: 'user:ann',
    digest: hash('sha256', key, 'base64url'),
    ...(until !== undefined && { until }),
  } as Credential;
  organisation.credentials.set(credential.id, credential);
  organisation.credentialsByDigest.set(credential.digest, credential);
  return { organisation, credential, clock: handClock() };
};

test('a live key is its owner and itself, and a decision asks for both', () => {
  const { organisation, clock } = setUp();
  const identity = identifyByApiKey(key, organisation, clock.now());
  assert.ok(identity.kind === 'caller');
  assert.deepEqual(identity.subjects, ['credential:k1', 'user:ann']);
  assert.equal(identity.principal, 'user:ann');
});

test('an unknown, foreign, overlong or outlived key is refused', () => {
  const { organisation, clock } = setUp(new Date(handClock().now()).toISOString());
  for (const each of [key, 'psk_other', key.toUpperCase(), `${key} `, 'k'.repeat(47), '', `psk_${'k'.repeat(1_000)}`])
    assert.equal(identifyByApiKey(each, organisation, clock.now()).kind, 'bad', each);
  assert.equal(identifyByApiKey(key, organisation, clock.now() - 1).kind, 'caller');
});

test('a caller is one no more once the key is revoked or has run out', () => {
  const { organisation, credential, clock } = setUp(new Date(handClock().now() + 1_000).toISOString());
  const identity = identifyByApiKey(key, organisation, clock.now());
  assert.ok(identity.kind === 'caller');
  assert.equal(identityHolds(identity, organisation, clock.now()), true);
  assert.equal(identityHolds(identity, organisation, clock.now() + 1_000), false);
  organisation.credentials.delete(credential.id);
  assert.equal(identityHolds(identity, organisation, clock.now()), false);
});

test('the same key twice is one credential, two different ones are refused, and nothing else is read', () => {
  const { organisation, clock } = setUp();
  const identify = identifier({
    organisation,
    clock,
    jwt: jwtIdentifier(clock, []),
    opaque: opaqueIdentifier(clock, []),
    proofs: proofChecker(clock),
    certificates: clientCertificates(clock),
  });
  const kinds = [
    {},
    { apiKey: key },
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key}`, apiKey: key },
    { authorization: 'Bearer psk_other', apiKey: key },
    { authorization: `Basic ${key}` },
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer a b' },
    { apiKey: '' },
  ].map((credentials) => {
    const identity = identify({ method: 'GET', scheme: 'http', host: 'gate.test', path: '/', ...credentials });
    return identity instanceof Promise ? 'asked' : identity.kind;
  });
  assert.deepEqual(kinds, ['none', 'caller', 'caller', 'caller', 'two', 'bad', 'bad', 'bad', 'bad', 'bad']);
});
