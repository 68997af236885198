/** HOST:PORT as written in the configuration. */
import { Problem } from '@postern/schemas';
import { type FastifyInstance, fastify } from 'fastify';

/** "127.0.0.1:8080" or "[::1]:8080", taken apart. */
export const splitAddress = (address: string): { readonly host: string; readonly port: number } => {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
};

/** Listens, and answers the base URL with the port that was taken. Rejects with `runtime/port-in-use`, naming the address and a way out. */
export const listen = async (
  app: FastifyInstance,
  address: string,
  /** Another process may take the same port: the kernel shares connections out among them. */
  { reusePort = false }: { readonly reusePort?: boolean } = {},
): Promise<string> => {
  try {
    return await app.listen({ ...splitAddress(address), ...(reusePort && { reusePort }) });
  } catch (error) {
    throw cannotListen(address, error);
  }
};

/** What it means that an address could not be taken. */
export const cannotListen = (address: string, error: unknown): unknown => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE')
    return new Problem('runtime/port-in-use', {
      detail: address,
      fix: `Stop the other process (lsof -i :${splitAddress(address).port} names it), or configure another port (the demo: --base-port).`,
      cause: error,
    });
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new Problem('runtime/bad-config', {
      detail: `cannot listen on ${address} (${code})`,
      fix: 'Configure an address of this machine, and a port that this user may take.',
      cause: error,
    });
  return error;
};

/** Rejects as {@link listen} does where `address` cannot be taken now; takes nothing. */
export const requireFree = async (address: string): Promise<void> => {
  const app = fastify();
  try {
    await listen(app, address);
  } finally {
    await app.close();
  }
};
