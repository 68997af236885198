/** Questions 14 to 17 and 25: what was refused, what administrators did, who read the record, what each record says. */
import type { FoundRow } from '@postern/audit-store';
import { type DecisionRecord, type FactType, posternOperations, posternService } from '@postern/schemas';
import { type Answer, type Asked, cutNote, type Row } from './asked.ts';

const decisionRow = ({ at, subject, actor, outcome, reason, endpoint, sequence, id, body }: FoundRow): Row => {
  const { method, path, ip, country, refusedWith } = JSON.parse(body) as DecisionRecord;
  return {
    at,
    subject,
    actor,
    outcome,
    reason,
    method,
    path,
    endpoint,
    ip,
    country,
    status: refusedWith,
    restsOn: sequence,
    decision: id,
  };
};
const answered = (rows: readonly FoundRow[], more: boolean, summary: Row, notes: readonly string[] = []): Answer => ({
  rows: rows.map(decisionRow),
  summary,
  decisions: rows.map(({ index }) => index),
  notes: [...notes, ...(more ? [cutNote('decisions')] : [])],
});

export const refusedAttempts = async ({ args, decisions }: Asked): Promise<Answer> => {
  const about = { ...(args.subject && { subject: args.subject }), ...(args.endpoint && { endpoint: args.endpoint }) };
  const { rows, more } = await decisions({ ...about, outcome: 'deny' });
  const anonymous = rows.filter(({ subject }) => subject === undefined).length;
  return answered(rows, more, { refused: rows.length, byNobodyKnown: anonymous });
};

/** By what PCI DSS asks for. */
const administrative: readonly (readonly [string, readonly FactType[]])[] = [
  [
    'administrator action (10.2.1.2)',
    [
      'postern.grant.issued.v1',
      'postern.grant.revoked.v1',
      'postern.group.changed.v1',
      'postern.group.deleted.v1',
      'postern.object.related.v1',
      'postern.object.unrelated.v1',
      'postern.session.revoked.v1',
      'postern.breakglass.opened.v1',
      'postern.event.released.v1',
    ],
  ],
  [
    'credential change (10.2.1.5)',
    [
      'postern.credential.issued.v1',
      'postern.credential.rotated.v1',
      'postern.credential.revoked.v1',
      'postern.principal.joined.v1',
      'postern.principal.left.v1',
    ],
  ],
  [
    'system object (10.2.1.7)',
    [
      'postern.schema.published.v1',
      'postern.routes.published.v1',
      'postern.role.defined.v1',
      'postern.role.changed.v1',
      'postern.role.retired.v1',
    ],
  ],
];

export const administratorActions = async (asked: Asked): Promise<Answer> => {
  const rows: Row[] = [];
  for (const [category, types] of administrative)
    for (const { fact, sequence } of await asked.facts(...types)) {
      if (fact.authtype === 'system' || (asked.args.subject !== undefined && fact.authid !== asked.args.subject))
        continue;
      const data = fact.data as Readonly<Record<string, unknown>>;
      const what = ['subject', 'principal', 'credential', 'group', 'object', 'service', 'role'].map(
        (name) => data[name],
      );
      rows.push({
        category,
        recorded: fact.recordedtime,
        by: fact.authid,
        as: fact.authtype,
        did: fact.type.replace(/^postern\.|\.v\d+$/g, ''),
        to: what.find((each) => typeof each === 'string') as string | undefined,
        role: typeof data['role'] === 'string' ? data['role'] : undefined,
        reason: typeof data['reason'] === 'string' ? data['reason'] : undefined,
        fact: sequence,
      });
    }
  rows.sort((a, b) => Number(a['fact']) - Number(b['fact']));
  return {
    rows,
    summary: Object.fromEntries(
      administrative.map(([name]) => [name, rows.filter(({ category }) => category === name).length]),
    ),
    facts: rows.map(({ fact }) => Number(fact)),
    notes: [
      'what no person did (a birthright that follows an attribute, a lapsed grant) is left out; refused attempts at it are question 14',
    ],
  };
};

const auditEndpoints = posternOperations
  .filter(({ room }) => room === 'audit')
  .map(({ operation }) => `${posternService}/${operation}`);
const reportEndpoints = posternOperations
  .filter(({ template }) => /^\/(reports|reviews)/.test(template))
  .map(({ operation }) => `${posternService}/${operation}`);

const decisionsAt = async (
  asked: Asked,
  endpoints: readonly string[],
): Promise<{ rows: FoundRow[]; more: boolean }> => {
  const found = [];
  for (const endpoint of endpoints)
    found.push(
      await asked.decisions({ endpoint, ...(asked.args.subject !== undefined && { subject: asked.args.subject }) }),
    );
  return {
    rows: found.flatMap(({ rows }) => rows).sort((a, b) => a.index - b.index),
    more: found.some(({ more }) => more),
  };
};

export const whoReadTheRecord = async (asked: Asked): Promise<Answer> => {
  const { rows, more } = await decisionsAt(asked, auditEndpoints);
  const types = asked.typesLike(/^postern\.(audit|logging)\./);
  const said = await asked.facts(...types);
  return {
    rows: [
      ...rows.map(decisionRow),
      ...said.map(({ fact, sequence }) => ({
        at: fact.recordedtime,
        subject: fact.authid,
        outcome: fact.type,
        ...(fact.type === 'postern.audit.read.v1' && {
          read: fact.data.what,
          query: JSON.stringify(fact.data.query),
          times: fact.data.readings,
          rows: fact.data.rows,
        }),
        fact: sequence,
      })),
    ],
    summary: { reads: rows.length, facts: said.length },
    decisions: rows.map(({ index }) => index),
    facts: said.map(({ sequence }) => sequence),
    notes: [
      'every reading goes through the gate and is a decision like any other; whoever reads the files of the database directly is not seen here',
      ...(types.some((type) => type.startsWith('postern.logging.'))
        ? []
        : [
            'the log holds no facts of logging that was started, stopped or paused: what is recorded has no gap where question 19 finds none',
          ]),
      ...(more ? [cutNote('decisions')] : []),
    ],
  };
};

/** PCI DSS 10.2.2, and where each stands in a decision and in a fact. */
const recorded = [
  ['user', ({ subject }: FoundRow) => subject],
  ['type of event', ({ type }: FoundRow) => type],
  ['date and time', ({ at }: FoundRow) => at],
  ['success or failure', ({ outcome }: FoundRow) => outcome],
  ['origin', ({ body }: FoundRow) => (JSON.parse(body) as DecisionRecord).ip],
  ['affected resource', ({ endpoint, body }: FoundRow) => endpoint ?? (JSON.parse(body) as DecisionRecord).path],
] as const;

export const whatEachRecordSays = async ({ decisions, args }: Asked): Promise<Answer> => {
  const { rows, more } = await decisions({ ...(args.subject && { subject: args.subject }) });
  const lacking: FoundRow[] = [];
  const told = recorded.map(([field, of]): Row => {
    const without = rows.filter((row) => of(row) === undefined);
    lacking.push(...without.slice(0, 5));
    return { field, present: rows.length - without.length, missing: without.length, example: without[0]?.id };
  });
  return {
    rows: told,
    summary: { decisions: rows.length },
    decisions: lacking.map(({ index }) => index),
    notes: [
      'a request without a good credential has no user: its record says who it was not, and from where',
      ...(more ? [cutNote('decisions')] : []),
    ],
  };
};

export const recordsReviewed = async (asked: Asked): Promise<Answer> => {
  const { rows, more } = await decisionsAt(asked, [...auditEndpoints, ...reportEndpoints]);
  const byWhom = new Map<string, { row: Row; times: number; indexes: number[] }>();
  for (const { subject = '(nobody)', endpoint, at, outcome, index } of rows) {
    if (outcome !== 'allow') continue;
    const key = `${subject} ${endpoint} ${at.slice(0, 10)}`;
    const known = byWhom.get(key) ?? {
      row: { who: subject, opened: endpoint, day: at.slice(0, 10), first: at },
      times: 0,
      indexes: [],
    };
    known.times++;
    known.indexes.push(index);
    byWhom.set(key, known);
  }
  return {
    rows: [...byWhom.values()].map(({ row, times }) => ({ ...row, times })),
    summary: { readers: new Set([...byWhom.values()].map(({ row }) => row['who'])).size, readings: rows.length },
    decisions: [...byWhom.values()].flatMap(({ indexes }) => indexes.slice(0, 1)),
    notes: [
      'that a report was opened is recorded; that it was understood is for the one who opened it to say',
      ...(more ? [cutNote('decisions')] : []),
    ],
  };
};
