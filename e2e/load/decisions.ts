/** Decisions for measuring, as several gates write them: the same number, the same decision. */

export const perBatch = 150;
const subjects = 10_000;
const endpoints = 200;
const gates = ['a1f09c3d77e2', '5be2207c9d41', 'c07d4418b3aa', '09e6f5b2d8c3'];
/** One decision each. */
const stepMs = 10;
const beganAt = Date.UTC(2030, 0, 1);

/** Every fifth decision is of one program; of the people some call far more than others. */
export const busiest = 'service:nightly-export';

/** Evenly from 0 to below 1, by the number and by what it is for (Murmur's finalizer). */
const share = (n: number, purpose: number): number => {
  let bits = Math.imul(n ^ (purpose * 0x9e3779b1), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
};

export const subjectOf = (n: number): string =>
  share(n, 1) < 0.2 ? busiest : `user:u${Math.floor(subjects * share(n, 2) ** 2)}`;
export const endpointOf = (n: number): string => {
  const at = Math.floor(endpoints * share(n, 3) ** 2);
  return `${['payroll', 'wiki', 'billing', 'tickets', 'hr'][at % 5]}/operation${at}`;
};
/** The gates' batches arrive up to two seconds late. */
export const instantOf = (n: number): string =>
  new Date(beganAt + n * stepMs - Math.floor(share(Math.floor(n / perBatch), 4) * 2_000)).toISOString();
export const timeOf = (n: number): string => new Date(beganAt + n * stepMs).toISOString();
export const idOf = (n: number): string =>
  `${gates[Math.floor(n / perBatch) % gates.length]}-${Math.floor(n / gates.length).toString(36)}${(n % 36).toString(36)}${(n % 4).toString(36)}`;

/** Two in a hundred are refused, one in ten carries a trace. */
export const decision = (n: number): string => {
  const refused = share(n, 5) < 0.02;
  const endpoint = endpointOf(n);
  return JSON.stringify({
    id: idOf(n),
    at: instantOf(n),
    outcome: refused ? 'deny' : 'allow',
    ...(refused && { reason: 'no-grant', refusedWith: 403 }),
    sequence: 1_000 + Math.floor(n / 1_000),
    cached: share(n, 6) < 0.9,
    principal: subjectOf(n),
    service: endpoint.slice(0, endpoint.indexOf('/')),
    endpoint,
    method: 'GET',
    path: `/employees/${Math.floor(share(n, 7) * 5_000)}`,
    ip: '10.0.0.7',
    ...(share(n, 8) < 0.1 && { trace: Buffer.from(`trace ${n}`.padStart(16)).toString('hex') }),
  });
};

export const batchOf = (number: number): Uint8Array => {
  const lines = Array.from({ length: perBatch }, (_, at) => decision(number * perBatch + at));
  const instance = gates[number % gates.length];
  return Buffer.from(
    `{"v":1,"instance":"${instance}","batch":${Math.floor(number / gates.length) + 1},"decisions":[${lines.join(',')}]}`,
  );
};
