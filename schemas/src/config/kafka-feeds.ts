/** Topics that events come in by. Kafka gives the members of one consumer group one set of topics, so each topic has a group of its own. */
import { z } from 'zod';
import { FeedName } from './feeds-yaml.ts';

const KafkaFeed = z.strictObject({
  kafka: z.string().regex(/^kafka:/, 'write a URL that begins with kafka:'),
  /** The consumer group; left out, one that is named after the topic. */
  group: z.string().min(1).optional(),
  /** The rule of feeds.yaml that reads its messages, where they are no CloudEvents. */
  rule: FeedName.optional(),
});
type KafkaFeed = z.infer<typeof KafkaFeed>;

const partsOf = (kafka: string): { readonly brokers: string; readonly topic: string } => {
  const [address = ''] = kafka.split('?');
  const at = address.lastIndexOf('/');
  return { brokers: address.slice(0, at), topic: address.slice(at + 1) };
};

/** All instances that read a topic share it. */
export const consumerGroupOf = ({ kafka, group }: KafkaFeed): string =>
  group ?? `postern-grants.${partsOf(kafka).topic}`;

export const KafkaFeeds = z.array(KafkaFeed).superRefine((feeds, context) => {
  const before = new Map<string, number>();
  for (const [index, feed] of feeds.entries()) {
    const { brokers, topic } = partsOf(feed.kafka);
    const key = `${brokers} ${consumerGroupOf(feed)}`;
    const other = feeds[before.get(key) ?? -1];
    if (other === undefined) before.set(key, index);
    else
      context.addIssue({
        code: 'custom',
        path: [index, feed.group === undefined ? 'kafka' : 'group'],
        message:
          partsOf(other.kafka).topic === topic
            ? `the topic ${topic} is read by this group already; give one of the two another group, or take it out`
            : `the group ${consumerGroupOf(feed)} reads ${partsOf(other.kafka).topic} already; leave group out, or give each topic one of its own`,
      });
  }
});
