/**
 * Other people's gateways for the bench, as far as they are on this machine (`install.sh` puts them there). Each is asked, before it is
 * measured, whether it does what it is measured for.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeAddresses } from '../../world/processes.ts';
import { caddyfile, envoyYaml, type Hop, nginxConf, traefikFiles } from './configurations.ts';
import { type GatewayName, startGateway } from './gateway.ts';
import { startOry } from './ory.ts';
import { foundProgram, type Program, type ProgramName, startProgramAt } from './programs.ts';

export type PeerName = keyof typeof peers;
export type PeerIssuer = {
  readonly issuer: string;
  readonly audience: string;
  /** The issuer's keys as a JWK set; RS256. */
  readonly jwksFile: string;
  /** A token of `subject`. */
  readonly token: string;
  readonly subject: string;
};
/** A server that is the peers' own: its schema is replaced. */
export type PeerSpiceDb = {
  /** HOST:PORT, without TLS. */
  readonly endpoint: string;
  readonly presharedKey: string;
  /** What it is filled with; `subject` alone may call the endpoint of the bench. */
  readonly holds?: { readonly users: number; readonly roles: number; readonly endpoints: number };
};
export type Peer = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its processes but SpiceDB, whose server is the caller's. */
  readonly pids: readonly number[];
  readonly close: () => Promise<void>;
};

const deciding: Readonly<Partial<Record<GatewayName, 'http' | 'grpc'>>> = { nginx: 'http', envoy: 'grpc' };

const peers = {
  nginx: { gateway: 'nginx', does: 'nothing' },
  Caddy: { gateway: 'caddy', does: 'nothing' },
  Traefik: { gateway: 'traefik', does: 'nothing' },
  Envoy: { gateway: 'envoy', does: 'nothing' },
  'nginx auth_request, adapter, SpiceDB': { gateway: 'nginx', does: 'decides' },
  'Envoy ext_authz, adapter, SpiceDB': { gateway: 'envoy', does: 'decides' },
  'Oathkeeper, Keto': { gateway: 'oathkeeper', does: 'decides' },
} as const satisfies Record<string, { gateway: GatewayName | 'oathkeeper'; does: 'nothing' | 'decides' }>;

/** Those that can be started here, and of the others what is missing. */
export const foundPeers = (): {
  readonly found: readonly { readonly name: PeerName; readonly does: 'nothing' | 'decides' }[];
  readonly missing: readonly { readonly name: PeerName; readonly why: string }[];
} => {
  const all = Object.entries(peers).map(([name, { gateway, does }]) => {
    const programs: readonly ProgramName[] =
      gateway === 'oathkeeper' ? [gateway, 'keto'] : does === 'nothing' ? [gateway] : [gateway, 'spicedb-adapter'];
    const absent = programs.filter((each) => foundProgram(each) === undefined);
    const why = absent.length > 0 ? `${absent.join(', ')} not on this machine` : undefined;
    return { name: name as PeerName, does, why };
  });
  return {
    found: all.flatMap(({ name, does, why }) => (why === undefined ? [{ name, does }] : [])),
    missing: all.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }])),
  };
};

/**
 * `upstream`: the base URL of what is behind it, at which `/employees/42` answers 200. Rejects where the peer cannot be started, or
 * answers anything but 200 to whom it should let through, and 401 or 403 to whom it should not.
 */
export const startPeer = async (
  name: PeerName,
  upstream: string,
  issuer: PeerIssuer,
  spicedb?: PeerSpiceDb,
): Promise<Peer> => {
  const { gateway, does } = peers[name];
  const folder = await mkdtemp(join(tmpdir(), 'postern-peer-'));
  const programs: Program[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [own = '', http = '', grpc = ''] = await freeAddresses(3);
    const [port, upstreamPort] = [portOf(own), Number(new URL(upstream).port)];
    if (gateway === 'oathkeeper') {
      const [oathkeeper, keto] = [foundProgram('oathkeeper'), foundProgram('keto')];
      if (oathkeeper === undefined || keto === undefined) throw new Error('it needs Oathkeeper and Keto');
      await startOry({ oathkeeper, keto }, { ...issuer, folder, port, upstreamPort }, programs);
    } else {
      const adapterPort = portOf(deciding[gateway] === 'grpc' ? grpc : http);
      const hop: Hop = { port, upstreamPort, ...(does === 'decides' && { adapterPort }) };
      if (does === 'decides') programs.push(await startAdapter(issuer, spicedb, { http, grpc }));
      programs.push(await startGateway(gateway, filesOf(gateway, hop), folder, port));
    }
    const url = `http://${own}/employees/42`;
    const headers = does === 'decides' ? { authorization: `Bearer ${issuer.token}` } : {};
    await answersRightly(name, url, headers, does === 'decides');
    return { url, headers, pids: programs.map(({ pid }) => pid), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

const filesOf = (gateway: GatewayName, hop: Hop): readonly string[] => {
  switch (gateway) {
    case 'nginx':
      return [nginxConf(hop)];
    case 'caddy':
      return [caddyfile(hop)];
    case 'traefik':
      return traefikFiles(hop);
    case 'envoy':
      return [envoyYaml(hop)];
  }
};

const startAdapter = async (
  { issuer, audience, jwksFile, subject }: PeerIssuer,
  spicedb: PeerSpiceDb | undefined,
  { http, grpc }: { readonly http: string; readonly grpc: string },
): Promise<Program> => {
  const program = foundProgram('spicedb-adapter');
  if (program === undefined || spicedb === undefined)
    throw new Error('the adapter needs to be built, and a SpiceDB server');
  const { endpoint, presharedKey, holds = { users: 1, roles: 1, endpoints: 1 } } = spicedb;
  const server = ['-spicedb', endpoint, '-key', presharedKey];
  const sizes = Object.entries({ ...holds, user: subject }).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  const prepared = spawnSync(program, ['prepare', ...server, ...sizes], { encoding: 'utf8' });
  if (prepared.status !== 0) throw new Error(`the adapter could not fill SpiceDB: ${prepared.stderr}`);
  const tokens = ['-jwks', jwksFile, '-issuer', issuer, '-audience', audience];
  return startProgramAt(program, ['serve', '-http', http, '-grpc', grpc, ...server, ...tokens], portOf(http));
};

const startTimeoutMs = 10_000;

const answersRightly = async (
  name: PeerName,
  url: string,
  headers: Readonly<Record<string, string>>,
  decides: boolean,
): Promise<void> => {
  const status = async (url: string, headers: Readonly<Record<string, string>>): Promise<number> => {
    const response = await fetch(url, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  // A gateway takes connections a moment before it knows its routes.
  const deadline = performance.now() + startTimeoutMs;
  let allowed = await status(url, headers);
  while (allowed !== 200 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    allowed = await status(url, headers);
  }
  if (allowed !== 200) throw new Error(`${name} answered ${allowed} to whom it should let through`);
  if (!decides) return;
  const [anonymous, elsewhere] = [await status(url, {}), await status(`${url}/elsewhere`, headers)];
  if (anonymous !== 401 || elsewhere !== 403)
    throw new Error(`${name} answered ${anonymous} and ${elsewhere} to whom it should have refused with 401 and 403`);
};

/** A SpiceDB server of the peers' own, in memory; undefined where the program is not on this machine. */
export const startPeerSpiceDb = async (): Promise<
  (PeerSpiceDb & { readonly pid: number; readonly close: () => Promise<void> }) | undefined
> => {
  const program = foundProgram('spicedb');
  if (program === undefined) return undefined;
  const [endpoint = ''] = await freeAddresses(1);
  const presharedKey = 'bench';
  const server = await startProgramAt(
    program,
    [
      ...['serve', '--grpc-addr', endpoint, '--grpc-preshared-key', presharedKey, '--datastore-engine', 'memory'],
      ...['--metrics-enabled=false', '--telemetry-endpoint', '', '--skip-release-check', '--log-level', 'warn'],
    ],
    portOf(endpoint),
  );
  return { endpoint, presharedKey, pid: server.pid, close: server.close };
};
