/** The topics that are read, taken in anew with the configuration: all of the new ones can be opened, or nothing changes. */
import type { InboundFeed } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import type { PosternYaml } from '@postern/schemas';
import { runningSet } from '../running-set.ts';
import { consumeTopic, type TopicDeps } from './topic.ts';

export type FeedTopic = PosternYaml['feeds'][number] & { readonly group: string };
export type OpenFeed = (kafka: string, group: string) => Promise<InboundFeed>;

/** What was made ready, to be used or let go. */
export type Prepared = { readonly use: () => void; readonly discard: () => Promise<void> };

export type Topics = {
  /** Rejects where one of them cannot be opened. */
  readonly prepare: (topics: readonly FeedTopic[]) => Promise<Prepared>;
  /** Resolves once none is read any more. */
  readonly stop: () => Promise<void>;
};

export const feedTopics = (open: OpenFeed, deps: TopicDeps & { readonly log: Logger }): Topics => {
  const opened = new Map<string, InboundFeed>();
  const reading = runningSet<FeedTopic>(async (topic, signal) => {
    const feed = opened.get(keyOf(topic));
    if (feed === undefined) return;
    await consumeTopic({ feed, rule: topic.rule }, deps, signal).catch((error) => {
      if (!signal.aborted) deps.log.error({ err: error, topic: topic.kafka }, 'an inbound feed ended');
    });
    try {
      await feed[Symbol.asyncDispose]();
    } catch (error) {
      deps.log.warn({ err: error, topic: topic.kafka }, 'a feed did not close');
    }
  });
  return {
    prepare: async (topics) => {
      const fresh = new Map<string, InboundFeed>();
      const discard = async (): Promise<void> => {
        for (const feed of fresh.values()) await feed[Symbol.asyncDispose]();
      };
      try {
        for (const topic of topics)
          if (!opened.has(keyOf(topic)) && !fresh.has(keyOf(topic)))
            fresh.set(keyOf(topic), await open(topic.kafka, topic.group));
      } catch (error) {
        await discard();
        throw error;
      }
      return {
        discard,
        use: () => {
          const wanted = new Set(topics.map(keyOf));
          // Each is closed by whoever reads it, once that has ended; by then another one may have its place here.
          for (const key of [...opened.keys()]) if (!wanted.has(key)) opened.delete(key);
          for (const [key, feed] of fresh) opened.set(key, feed);
          reading.configure(new Map(topics.map((topic) => [keyOf(topic), topic])));
        },
      };
    },
    stop: () => reading.stop(),
  };
};

const keyOf = ({ kafka, group, rule }: FeedTopic): string => JSON.stringify([kafka, group, rule]);
