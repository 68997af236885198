/** The configurations of docs/how-to/keep-your-gateway.md as they stand there, with other addresses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { GatewayName } from '../load/peers/gateway.ts';
import { root } from '../world/embedded.ts';

export type Addresses = {
  readonly gateway: string;
  readonly postern: string;
  readonly extAuthz: string;
  readonly api: string;
  readonly token: string;
};
export type Documented = GatewayName | 'envoy over HTTP';

const page = readFileSync(join(root, 'docs/how-to/keep-your-gateway.md'), 'utf8');
const blocksBelow = (heading: string): string[] => {
  const section = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text = '']) => text);
};
const headings = { nginx: 'nginx', caddy: 'Caddy', traefik: 'Traefik', envoy: 'Envoy' };

export const documentedFiles = (gateway: Documented, addresses: Addresses): string[] => {
  const over = gateway === 'envoy over HTTP';
  const blocks = blocksBelow(headings[over ? 'envoy' : gateway]);
  const [whole = '', filter = ''] = blocks;
  const texts = gateway === 'envoy' ? [whole] : over ? [overHttp(whole, filter)] : blocks;
  return texts.map((text) => placed(text, addresses));
};

const placed = (text: string, { gateway, postern, extAuthz, api, token }: Addresses): string => {
  const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);
  // In one pass: an address that is put in must not be taken for one of the page's.
  const ports: Readonly<Record<string, string>> = {
    '8000': portOf(gateway),
    '8080': portOf(postern),
    '8083': portOf(extAuthz),
    '9001': portOf(api),
  };
  return text
    .replaceAll(/(?<=:|port_value: )(8000|8080|8083|9001)\b/g, (port) => ports[port] ?? port)
    .replaceAll('change-me', token);
};

type EnvoyFile = {
  readonly static_resources: {
    readonly listeners: readonly [
      { readonly filter_chains: readonly [{ readonly filters: readonly [{ readonly typed_config: Connections }] }] },
    ];
    readonly clusters: readonly [Cluster, ...object[]];
  };
};
type Connections = { readonly http_filters: readonly [{ typed_config: unknown }, ...object[]] };
type Cluster = { typed_extension_protocol_options?: unknown };

/** As the page says: another filter, and the cluster at the gate's own port, without HTTP/2. */
const overHttp = (whole: string, filter: string): string => {
  const file = parse(whole) as EnvoyFile;
  const { listeners, clusters } = file.static_resources;
  listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config = parse(filter);
  delete clusters[0].typed_extension_protocol_options;
  return stringify(file).replaceAll('port_value: 8083', 'port_value: 8080');
};
