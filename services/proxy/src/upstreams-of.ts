/** Where each service's API lies: the configured ones at their address, Postern's own at the rooms that serve them, by the first segment below its mount. */
import {
  posternMount,
  posternOperations,
  posternService,
  type Room,
  type ServiceConfig,
  type traffic,
} from '@postern/schemas';
import type { UpstreamConfig } from './config.ts';
import { graphQlServices } from './graphql-services.ts';

/** A room that is nowhere has no upstream: the console may be left out. */
export type RoomUrls = Readonly<Record<Exclude<Room, 'console'>, string>> & { readonly console?: string };

type Traffic = keyof typeof traffic;
const trafficOf = (service: Pick<ServiceConfig, Traffic>): Pick<ServiceConfig, Traffic> => ({
  timeouts: service.timeouts,
  health: service.health,
  outliers: service.outliers,
  retries: service.retries,
  rateLimits: service.rateLimits,
  serverTiming: service.serverTiming,
});

export const upstreamsOf = (
  services: Readonly<Record<string, ServiceConfig>>,
  rooms: RoomUrls,
  /** Documents that may be called by their hash, by service. */
  persisted: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(),
): Readonly<Record<string, UpstreamConfig>> => {
  const prefixes = new Map(
    posternOperations.flatMap(({ room, template }) => {
      const url = rooms[room];
      return url === undefined ? [] : [[`/${template.split('/')[1]}`, `${url}${posternMount}`] as const];
    }),
  );
  const read = graphQlServices(services, persisted);
  return {
    ...Object.fromEntries(
      Object.entries(services).map(([name, { upstream, protocol, timeoutMs, bodyBytesMax, ...service }]) => [
        name,
        {
          upstream,
          protocol,
          timeoutMs,
          bodyBytesMax,
          ...trafficOf(service),
          ...read[name],
        },
      ]),
    ),
    [posternService]: {
      upstreams: [...prefixes].map(([prefix, url]) => ({ prefix, url })),
      timeoutMs: 60_000,
      bodyBytesMax: 4_194_304,
    },
  };
};
