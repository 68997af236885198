import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isProblem } from '@postern/schemas';
import { openCountries } from './countries.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

test('an address has the country that the database says it is in, and no other', async () => {
  const countryOf = await openCountries(fixture('countries.mmdb'));
  const expected: Readonly<Record<string, string | undefined>> = {
    '203.0.113.7': 'DE',
    '198.51.100.1': 'FR',
    '2001:db8::1': 'SE',
    '192.0.2.9': 'IT',
    // Where a network is registered is not where its address is.
    '198.51.100.200': undefined,
    '127.0.0.1': undefined,
    '2001:db9::1': undefined,
    'no address': undefined,
  };
  for (const round of [1, 2])
    for (const [ip, country] of Object.entries(expected)) assert.equal(countryOf(ip), country, `${ip}, time ${round}`);
});

test('a file that is no such database, or is not there, is named', async () => {
  for (const name of ['README.md', 'nowhere.mmdb'])
    await assert.rejects(
      openCountries(fixture(name)),
      (error) => isProblem(error, 'runtime/bad-config') && error.message.includes(name),
    );
});
