/** Questions 12 and 13: what changed in schema and roles, and whose access that widened; keys from their issue to their end. */
import { canonicalJson, isProblem } from '@postern/schemas';
import { changesBetween } from '../as-of/changes.ts';
import { momentOf } from '../as-of/moment.ts';
import type { Answer, Asked, Row } from './asked.ts';

/** Changes of which it is asked who gained by them. */
const widenedMax = 50;

export const modelChanges = async (asked: Asked): Promise<Answer> => {
  const { past, sizes, nowMs, args } = asked;
  const rows: Row[] = [];
  const facts: number[] = [];
  const notes: string[] = [];
  const all = await asked.facts(
    'postern.schema.published.v1',
    'postern.routes.published.v1',
    'postern.role.defined.v1',
    'postern.role.changed.v1',
    'postern.role.retired.v1',
  );
  let asking = 0;
  for (const entry of all) {
    const { fact, sequence } = entry;
    if (args.role !== undefined && !('role' in fact.data && fact.data.role === args.role)) continue;
    facts.push(sequence);
    const said = {
      recorded: fact.recordedtime,
      by: fact.authid,
      commit: 'commit' in fact.data ? fact.data.commit : undefined,
      fact: sequence,
    };
    if (fact.type === 'postern.schema.published.v1') {
      const { part, parts, digest, text } = fact.data;
      rows.push({
        what: `schema published (part ${part} of ${parts})`,
        ...said,
        after: digest,
        characters: text.length,
      });
      continue;
    }
    if (fact.type === 'postern.routes.published.v1') {
      const { service, endpoints, part, parts } = fact.data;
      rows.push({
        what: `routes of ${service} published (part ${part} of ${parts})`,
        ...said,
        endpoints: endpoints.length,
      });
      continue;
    }
    const before = fact.type === 'postern.role.changed.v1' ? canonicalJson(fact.data.before) : undefined;
    const after = fact.type === 'postern.role.retired.v1' ? undefined : canonicalJson(fact.data.rules);
    const what = `role ${fact.data.role} ${fact.type.replace(/^postern\.role\.|\.v1$/g, '')}`;
    const reason = fact.data.reason;
    if (fact.type !== 'postern.role.changed.v1' || asking++ >= widenedMax) {
      rows.push({ what, ...said, reason, before, after });
      continue;
    }
    const at = (place: number) => momentOf(past.history, sizes.facts, { text: String(place), known: 'then', nowMs });
    try {
      const { gained, lost } = await changesBetween(past, [at(sequence - 1), at(sequence)], {});
      rows.push({ what, ...said, reason, before, after, gained: gained.length, lost: lost.length });
      for (const { subject, endpoint } of gained)
        rows.push({ what: `${what}: gained`, subject, endpoint, fact: sequence });
      for (const { subject, endpoint } of lost) rows.push({ what: `${what}: lost`, subject, endpoint, fact: sequence });
    } catch (error) {
      if (!isProblem(error, 'audit/bad-query')) throw error;
      rows.push({ what, ...said, reason, before, after });
      notes.push(
        `who gained by fact ${sequence} is too many to be listed: postern audit as-of --from ${sequence - 1} --to ${sequence} --endpoint …`,
      );
    }
  }
  if (asking > widenedMax)
    notes.push(`whose access widened is asked of the first ${widenedMax} changes; name a role or a shorter time`);
  return { rows, summary: { changes: facts.length }, facts, notes };
};

export const keysHeld = async (asked: Asked): Promise<Answer> => {
  const lastUsed = new Map<string, string>();
  for (const { actor, at } of await asked.reader.lastUses({}))
    if (actor !== undefined && at > (lastUsed.get(actor) ?? '')) lastUsed.set(actor, at);
  const [rotated, revoked, expired, grants] = [
    await asked.allFacts('postern.credential.rotated.v1'),
    await asked.allFacts('postern.credential.revoked.v1'),
    await asked.allFacts('postern.credential.expired.v1'),
    await asked.allFacts('postern.grant.issued.v1'),
  ];
  const rows: Row[] = [];
  const facts: number[] = [];
  for (const { fact, sequence } of await asked.facts('postern.credential.issued.v1')) {
    const { credential, owner, until, reason } = fact.data;
    if (asked.args.subject !== undefined && ![credential, owner].includes(asked.args.subject as never)) continue;
    const of = <
      Found extends { readonly fact: { readonly data: { readonly credential: string } }; readonly sequence: number },
    >(
      all: readonly Found[],
    ): Found | undefined => all.find((each) => each.fact.data.credential === credential);
    const [turned, taken, over] = [of(rotated), of(revoked), of(expired)];
    const gone = (await asked.facts('postern.principal.left.v1')).find(
      (each) => each.fact.data.principal === owner && each.sequence > sequence,
    );
    facts.push(sequence, ...[turned, taken, over].flatMap((each) => (each ? [each.sequence] : [])));
    rows.push({
      key: credential,
      owner,
      scope: grants
        .filter((each) => each.fact.data.subject === (credential as string))
        .map((each) => each.fact.data.role)
        .join(' '),
      issued: fact.recordedtime,
      by: fact.authid,
      reason,
      until,
      rotated: turned?.fact.recordedtime,
      successor: turned?.fact.data.successor,
      revoked: taken?.fact.recordedtime ?? gone?.fact.recordedtime,
      expired: over?.fact.recordedtime,
      lastUsed: lastUsed.get(credential),
      fact: sequence,
    });
  }
  return {
    rows,
    summary: { keys: rows.length, neverUsed: rows.filter((row) => row['lastUsed'] === undefined).length },
    facts,
  };
};
