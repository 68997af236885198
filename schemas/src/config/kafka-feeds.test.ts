import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerGroupOf, KafkaFeeds } from './kafka-feeds.ts';

const issues = (...feeds: object[]) =>
  KafkaFeeds.safeParse(feeds).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

test('topics without a named group have one each, whichever parameters stand behind them', () => {
  const feeds = KafkaFeeds.parse([{ kafka: 'kafka://a:1/hr.events?ssl=true' }, { kafka: 'kafka://a:1/idm' }]);
  assert.deepEqual(feeds.map(consumerGroupOf), ['postern-grants.hr.events', 'postern-grants.idm']);
});

test('two topics of one broker in one group are refused, at the second of them', () => {
  const [only, ...more] = issues({ kafka: 'kafka://a:1/hr', group: 'g' }, { kafka: 'kafka://a:1/idm', group: 'g' });
  assert.deepEqual(more, []);
  assert.match(only ?? '', /^1\.group: the group g reads hr already/);
});

test('a topic that one group reads twice is refused; two groups, and two brokers, may read the same', () => {
  const twice = [{ kafka: 'kafka://a:1/hr' }, { kafka: 'kafka://a:1/hr', rule: 'workday' }];
  assert.match(issues(...twice).join(), /^1\.kafka: the topic hr is read by this group already/);
  assert.deepEqual(issues({ kafka: 'kafka://a:1/hr' }, { kafka: 'kafka://a:1/hr', group: 'other' }), []);
  assert.deepEqual(issues({ kafka: 'kafka://a:1/hr' }, { kafka: 'kafka://b:1/hr' }), []);
});
