/** A random history of an organisation, in lanes that may run at once: what HR systems and administrators send through the gate. */

/** The same numbers for the same seed: mulberry32. Answers a whole number below `below`. */
export const seeded = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

export type Sent = {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What the log knows it by. */
  readonly source: string;
  readonly id: string;
  /** The state may be as asked for already: then it is acknowledged without a fact. */
  readonly mayChangeNothing: boolean;
};
export type Acknowledged = {
  readonly item: Sent;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
};

export type Lane = {
  readonly next: () => Sent;
  readonly answered: (answer: Acknowledged) => void;
  /** There is less behind it than a history should have. */
  readonly owes: () => boolean;
};

const departments = ['finance', 'hr', 'engineering'];
const roles = ['payroll-reader', 'payroll-writer', 'payroll-runner', 'extra-role'];
const itemsAtLeast = 30;

export const history = (random: (below: number) => number, lanes: number): Lane[] => {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  const person = () => `user:p${random(8)}`;
  const group = () => `group:g${random(4)}`;

  return Array.from({ length: lanes }, (_, lane) => {
    let count = 0;
    const grants: string[] = [];
    const event = (type: string, subject: string, data: object): Sent => {
      const id = `${lane}-${count}`;
      const source = `/hr/${lane}`;
      return {
        method: 'POST',
        path: '/events',
        contentType: 'application/cloudevents+json',
        headers: {},
        body: { specversion: '1.0', id, source, type: `postern.${type}.v1`, subject, data },
        source,
        id,
        mayChangeNothing: true,
      };
    };
    const request = (method: Sent['method'], path: string, body: object, mayChangeNothing = false): Sent => {
      const id = `request-${lane}-${count}`;
      return {
        method,
        path,
        contentType: 'application/json',
        headers: { 'idempotency-key': id },
        body,
        source: '/postern/idempotency/user:admin',
        id,
        mayChangeNothing,
      };
    };
    const reason = 'a random history';
    const soon = () => new Date(Date.parse('2100-01-01T00:00:00Z') + random(1e9)).toISOString();
    const choices: (() => Sent)[] = [
      () => event('person.joined', person(), { department: pick(departments) }),
      () => event('person.joined', person(), { department: pick(departments) }),
      () => event('person.moved', person(), { department: pick(departments) }),
      () => event('person.left', person(), {}),
      () => event('group.changed', group(), { add: [person()], remove: [person()] }),
      () => event('group.changed', group(), { add: [group()] }),
      () => event('group.deleted', group(), {}),
      () => event('session.revoked', person(), { before: '2020-01-01T00:00:00Z' }),
      () => request('POST', '/grants', { subject: person(), role: pick(roles), reason }),
      () => request('POST', '/grants', { subject: `${group()}#member`, role: pick(roles), reason }),
      () =>
        request('POST', '/grants', {
          subject: person(),
          role: pick(roles),
          reason,
          conditions: pick([{ until: soon() }, { cidrs: ['10.0.0.0/8'] }, { countries: ['DE'] }]),
        }),
      () =>
        grants.length > 0
          ? request('DELETE', `/grants/${grants.splice(random(grants.length), 1)[0]}`, { reason })
          : event('person.joined', person(), { department: pick(departments) }),
      () =>
        request(
          'PUT',
          '/roles/extra-role',
          { allows: [{ endpoint: pick(['payroll/getPayslip', 'payroll/runPayroll', 'payroll/listEmployees']) }] },
          true,
        ),
    ];
    return {
      next: () => {
        count++;
        return pick(choices)();
      },
      answered: ({ item, status, body }) => {
        if (item.path === '/grants' && status === 201 && typeof body['id'] === 'string') grants.push(body['id']);
      },
      owes: () => count < itemsAtLeast,
    };
  });
};
