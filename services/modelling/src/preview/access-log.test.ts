import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { instantOf, readLogLine } from './log-line.ts';
import { fromLine, readUses } from './read-uses.ts';

const used = (line: string) => {
  const read = fromLine(line);
  return read.outcome === 'use' ? read.use : read.why;
};
const time = '[20/Nov/2026:09:00:00 +0100]';

describe('access logs', () => {
  test('every server’s spelling of one call is read to the same use', () => {
    for (const line of [
      `192.0.2.1 - ann ${time} "GET /payroll/employees/7?x=1 HTTP/1.1" 200 12`,
      `192.0.2.1 - ann ${time} "GET /payroll/employees/7 HTTP/2.0" 200 - "https://a" "b c"`,
      `192.0.2.1 - ann ${time} "GET /payroll/employees/7 HTTP/1.1" 200 5 "-" "a \\"quoted\\" [agent] \\\\" rt=0.1 "-"`,
      `192.0.2.1 - ann ${time} "GET /payroll/employees/7 HTTP/1.1" 200 5 "\\x22" "\\x5C"`,
      `::ffff:192.0.2.1 - ann ${time} "GET http://api.example/payroll/employees/7?q HTTP/1.1" 200 5`,
      '{"remote_addr":"192.0.2.1","remote_user":"ann","time":"2026-11-20T09:00:00+01:00","request":"GET /payroll/employees/7 HTTP/1.1","status":"200"}',
      '{"ts":1795161600.0,"request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/payroll/employees/7?a"},"user_id":"ann","status":200}',
      '{"ClientHost":"192.0.2.1","ClientUsername":"ann","StartUTC":"2026-11-20T08:00:00.000000000Z","RequestMethod":"GET","RequestPath":"/payroll/employees/7","DownstreamStatus":200}',
      '{"downstream_remote_address":"192.0.2.1:4711","user":"ann","start_time":"2026-11-20T08:00:00Z","method":"GET","path":"/payroll/employees/7","response_code":200}',
    ])
      assert.deepEqual(
        used(line),
        {
          at: '2026-11-20T08:00:00.000Z',
          subjects: ['user:ann'],
          method: 'GET',
          path: '/payroll/employees/7',
          ip: '192.0.2.1',
          allowed: true,
        },
        line,
      );
  });

  test('what cannot be read in one way only is left out with its reason, and never guessed', () => {
    const call = '"GET /a HTTP/1.1" 200 12';
    for (const [line, why] of [
      ['nonsense', 'not a line of an access log'],
      ['', 'not a line of an access log'],
      [`192.0.2.1 - ann ${time} "GET /a HTTP/1.1`, 'not a line of an access log'],
      [`192.0.2.1 - ann ${time} "GET /a HTTP/1.1\\" 200 12`, 'not a line of an access log'],
      [`192.0.2.1 - ann ${time} ${call} "open`, 'not a line of an access log'],
      [`192.0.2.1 ann ${time} ${call}`, 'not a line of an access log'],
      // A name that tries to be a whole line: then one line holds two times, and is neither.
      [`192.0.2.1 - eve ${time} ${call} ${time} "GET /b HTTP/1.1" 401 0`, 'not a line of an access log'],
      [`192.0.2.1 - ann ${time} "GET /a HTTP/1.1" 200 12 "\\`, 'not a line of an access log'],
      [`192.0.2.1 - a\\qn ${time} ${call}`, 'not a line of an access log'],
      [`192.0.2.1 - a\\xFFn ${time} ${call}`, 'not a line of an access log'],
      [`192.0.2.1 - - ${time} ${call}`, 'no user in the access log'],
      [`192.0.2.1 - ann [31/Feb/2026:09:00:00 +0100] ${call}`, 'without a time that can be read'],
      [`192.0.2.1 - ann [99/Nov/2026:09:00:00 +0100] ${call}`, 'without a time that can be read'],
      [`192.0.2.1 - ann [20/Nov/2026:29:00:00 +0100] ${call}`, 'without a time that can be read'],
      [`192.0.2.1 - ann ${time} "-" 408 0`, 'without a request that can be read'],
      [`192.0.2.1 - ann ${time} "GET /a b HTTP/1.1" 200 1`, 'without a request that can be read'],
      [`192.0.2.1 - ann ${time} "\\x16\\x03\\x01" 400 1`, 'without a request that can be read'],
      [`192.0.2.1 - ann ${time} "CONNECT a.example:443 HTTP/1.1" 200 1`, 'a request target that is no path'],
      ['{"user":"ann","method":"GET","path":"/a","status":200}', 'without a time that can be read'],
      ['{"user":"ann","method":"GET","path":"/a","time":"2026-11-20T08:00:00Z"}', 'without a status'],
      ['{"time":', 'not JSON'],
      [`{"path":"${'a'.repeat(70_000)}"}`, 'longer than 65536 characters'],
    ] as const)
      assert.equal(used(line), why, line.slice(0, 100));
  });

  test('an address is unmapped, and what is none is not known', () => {
    for (const [host, ip] of [
      ['2001:db8::1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['::ffff:10.1.2.3', '10.1.2.3'],
      ['client.example', undefined],
      ['fe80::1%eth0', undefined],
      ['999.1.1.1', undefined],
    ] as const) {
      const use = used(`${host} - ann ${time} "GET /a HTTP/1.1" 200 12`);
      assert.ok(typeof use === 'object');
      assert.equal(use.ip, ip, host);
    }
  });

  test('each line that cannot be read is counted, with where the first of its kind stands', async () => {
    const lines = async function* () {
      yield `192.0.2.1 - ann ${time} "GET /a HTTP/1.1" 200 12`;
      yield '  ';
      yield 'bad\u0007line';
    };
    const told = await Array.fromAsync(readUses(lines()));
    assert.deepEqual(
      told.map((each) => (each.outcome === 'use' ? 'use' : each.example)),
      ['use', 'line 3: bad\uFFFDline'],
    );
  });

  const escapedAs = {
    apache: (text: string) => text.replace(/["\\]/g, (c) => `\\${c}`).replace(/[\p{Cc}]/gu, (c) => `\\x${hex(c)}`),
    nginx: (text: string) =>
      [...Buffer.from(text)]
        .map((byte) =>
          byte < 32 || byte > 126 || byte === 34 || byte === 92 ? `\\x${hexByte(byte)}` : String.fromCharCode(byte),
        )
        .join(''),
  } as const;
  const hexByte = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
  const hex = (text: string) => [...Buffer.from(text)].map(hexByte).join('\\x');
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ09-._~%/?"\\é€'), minLength: 1, maxLength: 30 });
  const text = fc.string({ unit: fc.constantFrom(...'ab ["\\]\'-:/é\t'), maxLength: 30 });

  test('whatever a server writes reads back as what it was, whoever chose the names and agents in it', () => {
    fc.assert(
      fc.property(
        fc.record({
          server: fc.constantFrom('apache', 'nginx' as const),
          user: text.map((name) => `a${name.replaceAll('\t', '')}z`),
          path: word,
          at: fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
          offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
          status: fc.integer({ min: 100, max: 599 }),
          agent: text,
        }),
        ({ server, user, path, at, offset, status, agent }) => {
          const escaped = escapedAs[server as 'apache' | 'nginx'];
          const request = `GET /${path} HTTP/1.1`;
          const line = `2001:db8::7 - ${escaped(user)} [${rendered(at, offset)}] "${escaped(request)}" ${status} 17 "-" "${escaped(agent)}"`;
          const read = readLogLine(line);
          assert.ok(read !== undefined, line);
          assert.deepEqual([read.user, read.request, read.status], [user, request, status]);
          assert.equal(instantOf(read.time), `${at.toISOString().slice(0, 19)}.000Z`);
        },
      ),
    );
  });

  test('no text at all makes the reader throw or wait', () => {
    const bits = fc.constantFrom('"', '\\', '[', ']', ' ', '-', 'GET /', ' HTTP/1.1', '200', time, '\\x2', '{', '}');
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, fc.string({ maxLength: 5 })), { maxLength: 40 }), (parts) => {
        fromLine(parts.join(''));
      }),
    );
    fromLine(`${'a '.repeat(30_000)}"`);
    fromLine(`a - b [${'\\'.repeat(60_000)}`);
  });
});

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const rendered = (at: Date, offset: number): string => {
  const local = new Date(at.getTime() + offset * 60_000);
  const two = (n: number) => String(n).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${two(local.getUTCDate())}/${months[local.getUTCMonth()]}/${local.getUTCFullYear()}:${local.toISOString().slice(11, 19)} ${zone}`;
};
