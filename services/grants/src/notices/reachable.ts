/**
 * Where notices may go: addresses of the open internet, and those that the configuration names. What counts is the address that is connected
 * to, so a name that resolves to another one a moment later gains nothing.
 */
import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IANA's special-purpose registries, and whatever leads into IPv4 by way of IPv6. */
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const listOf = (blocks: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', prefix] = block.split('/');
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
};
const refused = listOf(special);

export type Reachable = {
  /** Why the host of a URL, where it is an address, is not gone to. */
  readonly trouble: (host: string) => string | undefined;
  readonly lookup: LookupFunction;
};

export const reachable = (allowed: readonly string[]): Reachable => {
  const allow = listOf(allowed);
  const may = (address: string): boolean => {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return allow.check(address, family) || !refused.check(address, family);
  };
  const why = (address: string): string =>
    `${address} is a private address; allowAddresses of the subscription can name it`;
  return {
    trouble: (host) => {
      const address = host.replace(/^\[|\]$/g, '');
      return isIP(address) === 0 || may(address) ? undefined : why(address);
    },
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, '');
        const open = found.filter(({ address }) => may(address));
        const [first] = open;
        if (first === undefined) return callback(new Error(why(found[0]?.address ?? hostname)), '');
        if (options.all === true) return callback(null, open);
        return callback(null, first.address, first.family);
      });
    },
  };
};
