/** Whose address it is: the socket's, unless a proxy that we were told to trust says whom it speaks for. */
import { BlockList, isIP } from 'node:net';

/** `::ffff:10.1.2.3` is 10.1.2.3: unmapped before every comparison, check and log line. */
export const unmapped = (address: string): string => {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (hex?.[1] === undefined || hex[2] === undefined) return address;
  const [high, low] = [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
};

/** Is an unmapped address in one of these CIDR blocks? */
export const addressBlocks = (blocks: readonly string[]): ((ip: string) => boolean) => {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', bits = ''] = block.split('/');
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return (ip) => list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
};

export type AddressReader = (
  socketAddress: string | undefined,
  forwardedFor: readonly string[],
) => { ip?: string; trusted: boolean };

/**
 * The right-most address that is no trusted proxy. A trusted proxy that forwards something that is no address leaves it unknown,
 * and an unknown address meets no condition on addresses.
 */
export const addressReader = (trustedProxies: readonly string[]): AddressReader => {
  const isTrusted = addressBlocks(trustedProxies);
  return (socketAddress, forwardedFor) => {
    if (socketAddress === undefined) return { trusted: false };
    const peer = unmapped(socketAddress);
    if (trustedProxies.length === 0 || !isTrusted(peer)) return { ip: peer, trusted: false };
    let ip = peer;
    for (const entry of forwardedFor.join(',').split(',').reverse()) {
      const address = unmapped(entry.trim());
      if (address === '') continue;
      if (isIP(address) === 0) return { trusted: true };
      ip = address;
      if (!isTrusted(address)) break;
    }
    return { ip, trusted: true };
  };
};
