/** Questions 18 to 24: the record about itself. */
import { setImmediate } from 'node:timers/promises';
import { DecisionBatch, type DecisionRecord, Problem } from '@postern/schemas';
import { proveConsistency } from '@postern/schemas/tlog';
import { momentOf } from '../as-of/moment.ts';
import { appendsOf, digestOf, rebuildChecks } from '../replay/rebuild.ts';
import { sha256 } from '../sha256.ts';
import { logTree } from '../tree.ts';
import type { Answer, Asked, Row } from './asked.ts';

export const unaltered = async ({ args, reader, sizes, past }: Asked): Promise<Answer> => {
  const { sequence = sizes.facts, size: earlier } = args;
  if (sequence < 1 || sequence > sizes.facts) throw new Problem('audit/no-such-record', { detail: `fact ${sequence}` });
  const [fact] = await past.history.read([sequence]);
  const tree = logTree(reader, 'facts');
  if (earlier !== undefined && (earlier < 1 || earlier > sizes.facts))
    throw new Problem('audit/bad-query', { detail: `the log has never had ${earlier} facts` });
  if (earlier !== undefined) await tree.grow(sizes.facts);
  return {
    rows: [
      {
        fact: sequence,
        type: fact?.fact.type,
        recorded: fact?.fact.recordedtime,
        by: fact?.fact.authid,
        id: fact?.fact.id,
      },
    ],
    facts: [sequence],
    ...(earlier !== undefined && {
      proof: {
        consistency: {
          from: earlier,
          to: sizes.facts,
          rootThen: Buffer.from(await tree.root(earlier)).toString('base64'),
          hashes: (await proveConsistency(sha256, tree.subtree, earlier, sizes.facts)).map((each) =>
            Buffer.from(each).toString('base64'),
          ),
        },
      },
    }),
    notes: [
      earlier === undefined
        ? 'give the size of a checkpoint that you kept, and the proof that nothing was removed or put in since is attached'
        : 'compare rootThen with the checkpoint that you kept; then the hashes prove that the log has only grown since (RFC 6962)',
      'postern audit verify checks every entry of both logs against the signed head',
    ],
  };
};

export const complete = async (asked: Asked): Promise<Answer> => {
  const { past, reader, sizes } = asked;
  const rows: Row[] = [];
  const misplaced = past.history.misplaced();
  rows.push({
    source: 'facts',
    entries: sizes.facts,
    first: 1,
    last: sizes.facts,
    gaps: misplaced.length,
    where: misplaced.slice(0, 10).join(' '),
  });
  const batches = new Map<string, { first: number; last: number; entries: number; gaps: string[] }>();
  let unreadable = 0;
  const readAtOnce = 100;
  const before = await reader.prunedBefore('decisions');
  for (let from = before; from < sizes.decisions; from += readAtOnce) {
    for (const bytes of await reader.entries('decisions', from, Math.min(from + readAtOnce, sizes.decisions))) {
      const read = readBatch(bytes);
      if (read === undefined) {
        unreadable++;
        continue;
      }
      const { instance, batch } = read;
      const known = batches.get(instance) ?? { first: batch, last: batch - 1, entries: 0, gaps: [] };
      if (batch !== known.last + 1) known.gaps.push(`${known.last + 1}-${batch - 1}`);
      batches.set(instance, { ...known, last: batch, entries: known.entries + 1 });
    }
    await setImmediate();
  }
  for (const [source, { first, last, entries, gaps }] of batches)
    rows.push({
      source: `decisions of ${source}`,
      entries,
      first,
      last,
      gaps: gaps.length,
      where: gaps.slice(0, 10).join(' '),
    });
  const quarantined = await asked.allFacts('postern.event.quarantined.v1');
  const released = await asked.allFacts('postern.event.released.v1');
  for (const { fact, sequence } of quarantined) {
    const end = released.find((each) => each.fact.data.quarantined === fact.id);
    rows.push({
      source: `quarantine: ${fact.data.from}`,
      where: fact.data.position,
      why: fact.data.why,
      resolved: end?.fact.data.outcome,
      resolvedBy: end?.fact.authid,
      fact: sequence,
    });
  }
  return {
    rows,
    summary: {
      gaps: rows.reduce((sum, { gaps }) => sum + Number(gaps ?? 0), 0),
      unreadable,
      quarantined: quarantined.length,
    },
    facts: [...quarantined, ...released].map(({ sequence }) => sequence),
    notes: [
      'a proxy that starts again numbers its batches under a new name',
      ...(before > 0
        ? [`decisions are pruned before entry ${before}: what was there is proven, and read no more`]
        : []),
    ],
  };
};

const utf8 = new TextDecoder();
const readBatch = (bytes: Uint8Array): Pick<DecisionBatch, 'instance' | 'batch'> | undefined => {
  try {
    const batch = DecisionBatch.safeParse(JSON.parse(utf8.decode(bytes)));
    return batch.success ? batch.data : undefined;
  } catch {
    return undefined;
  }
};

/** How many of the facts with the largest differences are shown. */
const shownMax = 100;

export const clocks = async ({ past, moment, sizes, sealedAt }: Asked): Promise<Answer> => {
  const rows: Row[] = [];
  let backwards = 0;
  for (let fact = 1; fact <= Math.min(moment.sequence, sizes.facts); fact++) {
    const [occurred, recorded] = [past.history.effectiveMs(fact), past.history.recordedMs(fact)];
    if (fact > 1 && recorded < past.history.recordedMs(fact - 1)) backwards++;
    rows.push({
      fact,
      seconds: (recorded - occurred) / 1_000,
      occurred: new Date(occurred).toISOString(),
      recorded: new Date(recorded).toISOString(),
    });
  }
  rows.sort((a, b) => Math.abs(Number(b['seconds'])) - Math.abs(Number(a['seconds'])));
  const shown = rows.slice(0, shownMax);
  return {
    rows: shown,
    summary: { facts: rows.length, recordedBeforeTheOneBefore: backwards, sealedAt },
    facts: shown.map(({ fact }) => Number(fact)),
    notes: [
      `the ${shown.length} facts whose occurrence and recording lie furthest apart; the signed head says no time, sealedAt is when it was signed here`,
      'when an outside witness saw an entry stands in the cosignatures of the checkpoint, where it has any',
    ],
  };
};

export const retention = async (asked: Asked): Promise<Answer> => {
  const { reader, sizes, nowMs } = asked;
  const rows: Row[] = [];
  for (const log of ['facts', 'decisions'] as const) {
    const first = (await reader.find(log, { order: 'oldest', limit: 1 })).rows[0];
    const days = first === undefined ? 0 : Math.floor((nowMs - Date.parse(first.at)) / 86_400_000);
    rows.push({
      log,
      entries: sizes[log],
      oldest: first?.at,
      oldestIndex: first?.index,
      days,
      prunedBefore: await reader.prunedBefore(log),
    });
  }
  const types = asked.typesLike(/^postern\.(retention|hold)\./);
  const said = await asked.allFacts(...types);
  for (const { fact, sequence } of said)
    rows.push({
      log: fact.type,
      recorded: fact.recordedtime,
      by: fact.authid,
      what: JSON.stringify(fact.data),
      fact: sequence,
    });
  return {
    rows,
    facts: said.map(({ sequence }) => sequence),
    notes: [
      'all that was ever recorded is here where prunedBefore is 0; PCI DSS asks for 12 months, HIPAA for 6 years of documentation',
      ...(said.length === 0 ? ['the log holds no facts of a retention policy, of pruning or of a legal hold'] : []),
    ],
  };
};

export const erasure = async (asked: Asked): Promise<Answer> => {
  const types = asked.typesLike(/^postern\.subject\./);
  const said = (await asked.allFacts(...types)).filter(
    ({ fact }) => asked.args.subject === undefined || JSON.stringify(fact).includes(asked.args.subject),
  );
  return {
    rows: said.map(({ fact, sequence }) => ({
      what: fact.type,
      recorded: fact.recordedtime,
      by: fact.authid,
      data: JSON.stringify(fact.data),
      fact: sequence,
    })),
    facts: said.map(({ sequence }) => sequence),
    notes: [
      'names, addresses and what people write never enter a fact: what is erased lies beside the log, so every proof stays as it was',
      ...(said.length === 0 ? ['the log holds no fact of an erasure'] : []),
    ],
  };
};

/** Longer logs are rebuilt by the command, which does not keep the record waiting. */
const rebuiltMax = 100_000;

export const sameAgain = async ({ past, openEngine, moment }: Asked): Promise<Answer> => {
  const { sequence } = moment;
  if (sequence > rebuiltMax)
    return {
      rows: [],
      notes: [
        `${sequence} facts are rebuilt by postern audit replay --rebuild --to ${sequence}, which compares them with the live authorizer too`,
      ],
    };
  const facts = async function* () {
    for (let from = 1; from <= sequence; from += 500)
      yield* await past.history.read(Array.from({ length: Math.min(500, sequence + 1 - from) }, (_, at) => from + at));
  };
  const every = Math.max(1, Math.ceil(sequence / 10));
  const checks = await Array.fromAsync(rebuildChecks(openEngine, appendsOf(facts()), every));
  return {
    rows: checks.map(({ sequence: fact, relationships, folded, held }) => ({
      fact,
      relationships,
      sha256: held,
      same: folded === held,
    })),
    summary: {
      checks: checks.length,
      different: checks.filter(({ folded, held }) => folded !== held).length,
      empty: digestOf([]),
    },
    facts: checks.map(({ sequence: fact }) => fact),
    notes: [
      'GET relationships/digest gives the hash of what the live authorizer holds now, and the fact that it stands at',
    ],
  };
};

export const rightlyDecided = async ({ args, reader, past, sizes, nowMs }: Asked): Promise<Answer> => {
  const found = await reader.find('decisions', { id: args.decision ?? '', limit: 1 });
  const [row] = found.rows;
  if (row === undefined) throw new Problem('audit/no-such-record', { detail: `decision ${args.decision}` });
  const {
    principal,
    credential,
    actors = [],
    method,
    path,
    ip,
    country,
    acr,
    amr,
    scopes,
    at,
    outcome,
    sequence,
  } = JSON.parse(row.body) as DecisionRecord;
  const notes: string[] = [];
  if (principal === undefined || sequence === undefined)
    return {
      rows: [{ decision: row.id, at, recorded: outcome }],
      decisions: [row.index],
      notes: ['it was not decided by permissions: nobody was known'],
    };
  if (actors.length > 0)
    notes.push('a delegation: the answers are about the principal, and not about whoever acted in their name');
  const optional = Object.entries({ ip, country, acr, amr: amr?.join(','), scopes: scopes?.join(',') });
  const asked = {
    subject: credential ?? principal,
    method,
    path,
    at,
    ...Object.fromEntries(optional.filter((each): each is [string, string] => each[1] !== undefined)),
  };
  const answers = [];
  const moments = [
    ['what it rested on', String(sequence), 'then'],
    ['what was known when it was made', at, 'then'],
    ['what is known now to have been true then', at, 'now'],
  ] as const;
  for (const [what, text, known] of moments) {
    const moment = momentOf(past.history, sizes.facts, { text, known, nowMs });
    const answer = await past.can(asked, moment).catch((error: unknown) => {
      // A key that was not live then: nobody.
      if (error instanceof Problem && error.code === 'authorizer/bad-question')
        return { decision: 'deny' as const, reason: 'no-grant' };
      throw error;
    });
    answers.push({ what, fact: moment.sequence, answer: answer.decision, reason: String(answer['reason'] ?? '') });
  }
  return {
    rows: answers.map((answer) => ({
      decision: row.id,
      at,
      recorded: outcome,
      ...answer,
      right: answer.answer === outcome,
    })),
    summary: { right: answers[0]?.answer === outcome, rightAsKnownNow: answers[2]?.answer === outcome },
    facts: [sequence].filter((each) => each > 0),
    decisions: [row.index],
    notes,
  };
};
