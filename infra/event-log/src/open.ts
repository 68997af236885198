/** Opens a log by its URL: `kafka://…` is a cluster, `file:DIR` a folder of this process, `memory:` gone with it. */
import type { MessagePort } from 'node:worker_threads';
import { Problem } from '@postern/schemas';
import { noTelemetry, type Telemetry } from '@postern/telemetry';
import { connectedLog } from './bridged/connect.ts';
import { servedLogs } from './bridged/serve.ts';
import { openEmbedded } from './embedded/open.ts';
import { observed } from './observed.ts';
import type { EventLog, InboundFeed } from './port.ts';

export type EventLogDeps = { readonly telemetry?: Telemetry };

/** Owns what it returns. Rejects with the port's problems, or with `runtime/bad-config` where the URL cannot be read. */
export const openEventLog = async (url: string, { telemetry = noTelemetry }: EventLogDeps = {}): Promise<EventLog> => {
  const carrier = telemetry.carrier;
  if (isEmbedded(url)) return observed(openEmbedded(url, { carrier }), telemetry);
  if (url.startsWith('kafka:')) {
    // Loaded when it is wanted: most processes never speak to a cluster.
    const { openKafka } = await import('./kafka/open.ts');
    return observed(await openKafka(url, { carrier }), telemetry);
  }
  throw new Problem('runtime/bad-config', {
    detail: `the event log "${url}" is of no known kind`,
    fix: 'Write kafka://HOST:PORT/PREFIX, file:DIR or memory:.',
  });
};

/** Has the log one owner, the thread that opens it? Others are then served by it. */
export const isEmbedded = (url: string): boolean => url === 'memory:' || url.startsWith('file:');

/** An embedded log, and how its thread serves other threads of the process over message ports. */
export const openServedLog = (url: string): { readonly log: EventLog; readonly serve: (port: MessagePort) => void } => {
  const served = servedLogs();
  const log = openEmbedded(url, { carrier: served.carrier });
  return { log, serve: (port) => served.serve(log, port) };
};

/** The log behind a port of {@link openServedLog}. */
export const connectLog = (port: MessagePort, { telemetry = noTelemetry }: EventLogDeps = {}): EventLog =>
  observed(connectedLog(port, telemetry.carrier), telemetry);

/** `onTrouble` hears what keeps the feed from reading on; it goes on trying by itself. */
export type InboundFeedDeps = { readonly onTrouble?: (error: unknown) => void };

/** `kafka://HOST:PORT/TOPIC`; members of one `group` share the work, and go on where the group has got to. */
export const openInboundFeed = async (
  url: string,
  group: string,
  { onTrouble = () => {} }: InboundFeedDeps = {},
): Promise<InboundFeed> => {
  const [{ kafkaInbound }, { parseKafkaUrl }] = await Promise.all([
    import('./kafka/inbound.ts'),
    import('./kafka/settings.ts'),
  ]);
  return kafkaInbound(parseKafkaUrl(url), group, onTrouble);
};
