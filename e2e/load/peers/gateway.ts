/** Starts a gateway on configuration that is given as text. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foundProgram, type Program, startProgramAt } from './programs.ts';

export type GatewayName = 'nginx' | 'caddy' | 'traefik' | 'envoy';

/** What each reads; the first file is the one that it is started on. */
export const gatewayFiles: Readonly<Record<GatewayName, readonly [string, ...string[]]>> = {
  nginx: ['nginx.conf'],
  caddy: ['Caddyfile'],
  traefik: ['traefik.yaml', 'dynamic.yaml'],
  envoy: ['envoy.yaml'],
};

const commands: Readonly<Record<GatewayName, (file: string, folder: string) => readonly string[]>> = {
  // It stays whoever starts it, keeps nothing outside its folder, and does not go into the background.
  nginx: (file, folder) => [
    ...['-p', folder, '-c', file, '-e', join(folder, 'error.log')],
    ...['-g', `daemon off; pid ${join(folder, 'nginx.pid')};${process.getuid?.() === 0 ? ' user root;' : ''}`],
  ],
  caddy: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  traefik: (file) => [`--configFile=${file}`],
  envoy: (file) => ['-c', file, '--disable-hot-restart', '--log-level', 'error'],
};

/** Debian's nginx keeps bodies below /var/lib, which is there only where it is installed, and for root. */
const nginxFolders = (folder: string): string =>
  [
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${join(folder, kind)};`),
    'access_log off;',
  ].join('\n');

/** The program has to be on the machine; `port` is where its configuration makes it listen. */
export const startGateway = async (
  name: GatewayName,
  texts: readonly string[],
  folder: string,
  port: number,
): Promise<Program> => {
  const program = foundProgram(name);
  if (program === undefined) throw new Error(`${name} is not on this machine`);
  await mkdir(folder, { recursive: true });
  const files = gatewayFiles[name];
  for (const [at, file] of files.entries()) {
    const text = texts[at] ?? '';
    await writeFile(
      join(folder, file),
      name === 'nginx' ? text.replace('http {', `http {\n${nginxFolders(folder)}`) : text,
    );
  }
  return startProgramAt(program, commands[name](join(folder, files[0]), folder), port, {
    cwd: folder,
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
};
