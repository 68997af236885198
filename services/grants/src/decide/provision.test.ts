import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem, PrincipalId } from '@postern/schemas';
import { story } from './story.ts';

const principal = PrincipalId.parse('user:ann');
const provision = (attributes?: object) => ({ kind: 'provision', principal, attributes }) as never;

test('provisioning brings back whom provisioning ended, and nobody whom an HR system says has left', () => {
  const told = story();
  told.run(provision({ department: 'hr' }));
  told.run(provision());
  assert.equal(told.organisation.principals.get(principal)?.state, 'left');
  told.run(provision({ department: 'hr' }));
  assert.equal(told.organisation.principals.get(principal)?.state, 'active');

  const hr = story({ inbound: { source: '/hr', id: 'e1', digest: 'x' } });
  hr.run({ kind: 'join', principal, attributes: {} } as never);
  hr.run({ kind: 'leave', principal } as never);
  assert.deepEqual(hr.organisation.principals.get(principal)?.leftBy, ['/hr']);
  assert.throws(
    () => hr.run(provision({ department: 'hr' })),
    (error) => isProblem(error, 'grants/has-left') && /\/hr/.test(error.message),
  );
  assert.equal(hr.organisation.principals.get(principal)?.state, 'left');
});
