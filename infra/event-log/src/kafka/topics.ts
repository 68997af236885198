/** The topics of a log: created when missing, and refused where one could not keep what the log promises. */
import { Problem } from '@postern/schemas';
import { type Admin, type ITopicConfig, default as kafkajs } from 'kafkajs';
import { kafkaClient, trackedSockets } from './client.ts';
import { unreachable } from './control.ts';
import type { KafkaSettings } from './settings.ts';

export type Topics = Readonly<Record<'facts' | 'decisions' | 'enforcement' | 'quarantine', string>>;

export const topicsOf = (prefix: string): Topics => ({
  facts: `${prefix}.facts`,
  decisions: `${prefix}.decisions`,
  enforcement: `${prefix}.enforcement`,
  quarantine: `${prefix}.quarantine`,
});

const hour = 3_600_000;
/** A record may carry a whole quarantined message, which was itself as large as a broker lets one be. */
const largeRecords = { 'max.message.bytes': '4194304' };
/**
 * Facts are kept for ever, all of them: compaction or retention would take truth away. `uncompressed` makes the broker unpack
 * what a stranger packed in a way that readers here do not know, and which would stop them all.
 */
const factsConfig = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'compression.type': 'uncompressed',
};

const layout = (topics: Topics): ITopicConfig[] => [
  topic(topics.facts, 1, factsConfig),
  // A week, as by default: the time that audit may be away. Then its reader stops loudly.
  topic(topics.decisions, 6, {
    'retention.ms': String(7 * 24 * hour),
    'compression.type': 'uncompressed',
    ...largeRecords,
  }),
  topic(topics.enforcement, 1, {
    'retention.ms': String(hour),
    'segment.ms': String(hour / 6),
    'compression.type': 'uncompressed',
  }),
  topic(topics.quarantine, 1, {
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'compression.type': 'uncompressed',
    ...largeRecords,
  }),
];

const topic = (name: string, numPartitions: number, config: Record<string, string>): ITopicConfig => ({
  topic: name,
  numPartitions,
  // The broker's own default: how many copies are needed is decided where the brokers are run.
  replicationFactor: -1,
  configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
});

/** Rejects with `event-log/unreachable`, or with `event-log/unfit-topic` where an existing topic of facts or heartbeats cannot serve. */
export const ensureTopics = async (settings: KafkaSettings): Promise<Topics> => {
  const topics = topicsOf(settings.path);
  const sockets = trackedSockets();
  const admin = kafkaClient(settings, sockets).admin();
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    const missing = layout(topics).filter(({ topic }) => !existing.has(topic));
    // Two processes that start together both create: the second is told that the topic exists, which is what it wanted.
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
    await checkOneOrder(admin, topics.facts);
    await checkOneOrder(admin, topics.enforcement);
    await checkFacts(admin, topics.facts);
    return topics;
  } catch (error) {
    throw error instanceof Problem ? error : unreachable(settings, error);
  } finally {
    sockets.destroy();
    admin.disconnect().catch(() => {});
  }
};

const checkOneOrder = async (admin: Admin, name: string): Promise<void> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const partitions = topics[0]?.partitions.length ?? 0;
  if (partitions !== 1) throw unfit(name, `has ${partitions} partitions`, 'one order needs exactly one partition');
};

const checkFacts = async (admin: Admin, name: string): Promise<void> => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: Object.keys(factsConfig) }],
  });
  const found = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  for (const [key, wanted] of Object.entries(factsConfig)) {
    const value = found.get(key);
    if (value !== wanted) throw unfit(name, `has ${key}=${value}`, `set ${key}=${wanted}`);
  }
};

const unfit = (name: string, has: string, fix: string): Problem =>
  new Problem('event-log/unfit-topic', {
    detail: `the topic ${name} ${has}`,
    fix: `Choose another prefix, or mend the topic: ${fix}.`,
  });
