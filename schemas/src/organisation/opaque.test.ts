import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../facts/fact.ts';
import type { LoggedFact } from '../facts/log-entry.ts';
import { relationshipKey } from '../relationship.ts';
import { Organisation } from './organisation.ts';

const published = (sequence: number, opaque: boolean) =>
  ({
    sequence,
    fact: {
      type: 'postern.routes.published.v1',
      data: {
        service: 'payroll',
        mount: '/payroll',
        part: 1,
        parts: 1,
        digest: 'x',
        endpoints: [
          { id: 'payroll/rpc', method: 'POST', template: '/rpc', access: 'write', ...(opaque && { opaque }) },
          { id: 'payroll/get', method: 'GET', template: '/a', access: 'read' },
        ],
      },
    },
  }) as unknown as LoggedFact & { fact: Fact };

test('no class of access leads to an opaque endpoint, and an endpoint that becomes opaque loses the way', () => {
  const organisation = new Organisation();
  organisation.apply(published(1, false));
  const updates = organisation.apply(published(2, true));
  assert.deepEqual(
    updates.map(({ operation, relationship }) => `${operation} ${relationshipKey(relationship)}`),
    [`delete ${relationshipKey({ resource: 'endpoint:payroll/rpc', relation: 'writes', subject: 'service:payroll' })}`],
  );
  assert.deepEqual(
    [...organisation.relationships()].map(({ resource }) => resource),
    ['endpoint:payroll/get'],
  );
});
