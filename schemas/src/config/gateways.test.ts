import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PosternYaml } from './postern-yaml.ts';

const mistakes = (gateways: object): string[] =>
  PosternYaml.safeParse({ gateways }).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

test('nobody may ask as a gateway unless it is named', () => {
  assert.deepEqual(PosternYaml.parse({}).gateways, { trusted: [] });
  for (const gateways of [{ extAuthz: '127.0.0.1:8083' }, { tokenFile: './token' }])
    assert.match(mistakes(gateways).join(), /^gateways\.trusted: name the addresses/);
});

test('everybody may ask as a gateway only with a token', () => {
  for (const block of ['0.0.0.0/0', '::/0']) {
    assert.match(mistakes({ trusted: [block] }).join(), /^gateways\.trusted: this lets everybody ask/);
    assert.deepEqual(mistakes({ trusted: [block], tokenFile: './token' }), []);
  }
  assert.deepEqual(mistakes({ trusted: ['10.0.0.7/32'], extAuthz: '127.0.0.1:8083' }), []);
});
