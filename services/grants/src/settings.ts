/** What of the configuration this room takes in anew while it runs: read whole, so that a mistake anywhere changes nothing. */
import { type LoadedConfig, type LoadedModel, loadModel } from '@postern/runtime';
import { consumerGroupOf, type NoticeSubscription, type Transmitter } from '@postern/schemas';
import { type FeedRule, loadFeedRules } from './feeds/rules.ts';
import type { FeedTopic } from './feeds/topics.ts';
import { loadNotices } from './notices/load.ts';
import type { Model } from './publish.ts';
import { loadTransmitters } from './signals/load.ts';

export type GrantsSettings = {
  readonly model: Model;
  /** What foreign events mean. */
  readonly feedRules: readonly FeedRule[];
  /** Inbound topics. */
  readonly feeds: readonly FeedTopic[];
  /** Whose security events are taken. */
  readonly transmitters: readonly Transmitter[];
  /** Who is told of what happens here. */
  readonly notices: readonly NoticeSubscription[];
};

/** Throws `runtime/bad-config` with a line for each mistake. */
export const loadSettings = (loaded: LoadedConfig): GrantsSettings & { readonly model: LoadedModel } => ({
  model: loadModel(loaded),
  feedRules: loadFeedRules(loaded),
  feeds: loaded.config.feeds.map((feed) => ({ ...feed, group: consumerGroupOf(feed) })),
  transmitters: loadTransmitters(loaded),
  notices: loadNotices(loaded),
});
