import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { openRelationships } from '@postern/relationships/open';
import { isProblem, type Question, type Sequence } from '@postern/schemas';
import { facts, room } from '../trial/room.ts';
import { openDecisionPoint } from './open.ts';

const ask = (subject: string, context: object = {}): Question => ({
  subjects: [subject] as never,
  endpoint: 'payroll/list' as never,
  context: { now: '2026-03-02T09:00:00Z', ...context },
  atLeast: 0 as Sequence,
});
const world = [
  facts.schema(1),
  facts.role(2, 'reader', { endpoint: 'payroll/list' }),
  facts.grant(3, 'user:ann', 'reader'),
  facts.grant(4, 'user:bob', 'reader', { countries: ['DE'] }),
];
const listening = async (answer: RequestListener) => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

test('answers over HTTP are those of the room itself', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine, { pdpToken: 'shared' });
  await opened.tell(...world);
  const url = await opened.service.http.listen({ port: 0, host: '127.0.0.1' });
  await using remote = openDecisionPoint(url ?? '', { token: 'shared', deadlineMs: 10_000 });
  const questions = [
    ask('user:ann'),
    ask('user:bob', { country: 'DE', ip: '10.0.0.1' }),
    ask('user:bob'),
    ask('user:eve'),
    ask('user:bob', { ip: 'garbage' }),
  ];
  assert.deepEqual(await remote.decide(questions), await opened.service.decide(questions));
  await using stranger = openDecisionPoint(url ?? '', { token: 'guessed' });
  assert.deepEqual(await stranger.decide([ask('user:ann')]), [
    { outcome: 'unavailable', reason: 'engine-unreachable' },
  ]);
});

test('whatever the other side answers but a decision is "could not ask"', async () => {
  const answers: readonly (readonly [number, string])[] = [
    [500, '[["allow",1,[]]]'],
    [200, '[["allow",1,[]],["allow",1,[]]]'],
    [200, '[]'],
    [200, '[["permit",1,[]]]'],
    [200, '[["allow",-1,[]]]'],
    [200, '[["allow",1,["moon"]]]'],
    [200, '[{"outcome":"allow"}]'],
    [200, '[true]'],
    [200, 'allow'],
    [200, ''],
    [302, ''],
  ];
  for (const [status, body] of answers) {
    await using server = await listening((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await using remote = openDecisionPoint(server.url);
    assert.deepEqual(
      await remote.decide([ask('user:ann')]),
      [{ outcome: 'unavailable', reason: 'engine-unreachable' }],
      `${status} ${body}`,
    );
  }
});

test('an authorizer that is not there, or says nothing in time, is "could not ask"', async () => {
  await using silent = await listening(() => {});
  await using slow = openDecisionPoint(silent.url, { deadlineMs: 100 });
  assert.deepEqual(await slow.decide([ask('user:ann')]), [{ outcome: 'unavailable', reason: 'timeout' }]);
  await using nobody = openDecisionPoint('http://127.0.0.1:1');
  assert.deepEqual(await nobody.decide([ask('user:ann')]), [{ outcome: 'unavailable', reason: 'engine-unreachable' }]);
  assert.throws(
    () => openDecisionPoint('authorizer:8082'),
    (error) => isProblem(error, 'runtime/bad-config'),
  );
});
