/** Addresses to countries, by a database in MaxMind's format that the user brings (GeoLite2-Country, DB-IP and others). */
import { readFile } from 'node:fs/promises';
import { Problem } from '@postern/schemas';
import { type CountryResponse, Reader } from 'mmdb-lib';
import { type LoadedConfig, within } from './config/load.ts';

/** ISO 3166 alpha-2, or undefined where the database knows no country for the address. Never throws. */
export type CountryOf = (ip: string) => string | undefined;

/** Clients come back: their addresses are looked up once. */
const rememberedMax = 10_000;

/** Rejects with `runtime/bad-config` where the file is not there or is no such database. */
export const openCountries = async (file: string): Promise<CountryOf> => {
  let reader: Reader<CountryResponse>;
  try {
    reader = new Reader(await readFile(file));
  } catch (cause) {
    throw new Problem('runtime/bad-config', {
      detail: `${file} is no country database: ${cause instanceof Error ? cause.message : cause}`,
      fix: "Name a file in MaxMind's format under geo, or leave geo out.",
      cause,
    });
  }
  const remembered = new Map<string, string | undefined>();
  return (ip) => {
    if (remembered.has(ip)) return remembered.get(ip);
    const country = lookUp(reader, ip);
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(ip, country);
    return country;
  };
};

/** Where the address is, not where its network is registered: `registered_country` would say where nobody need be. */
const lookUp = (reader: Reader<CountryResponse>, ip: string): string | undefined => {
  try {
    const found = reader.get(ip) as { country?: unknown; country_code?: unknown } | null;
    const { country, country_code: flat } = found ?? {};
    const code = typeof country === 'object' && country !== null ? (country as { iso_code?: unknown }).iso_code : flat;
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
};

/** The database that the configuration names under `geo`; without one no address has a country. */
export const configuredCountries = async ({ config, folder }: LoadedConfig): Promise<CountryOf> =>
  config.geo === undefined ? () => undefined : await openCountries(within(folder, config.geo));
