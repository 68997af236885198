/** Questions 6 to 8: leavers until nothing lets them in any more, and what movers kept. */
import { type Answer, type Asked, cutNote, enforcedBehind, percentile, type Row } from './asked.ts';

const secondsBetween = (from: string, to: string | undefined): number | undefined =>
  to === undefined ? undefined : (Date.parse(to) - Date.parse(from)) / 1_000;

export const terminations = async (asked: Asked): Promise<Answer> => {
  const slaHours = asked.args.sla ?? 24;
  const scheduled = await asked.allFacts('postern.event.scheduled.v1');
  const rows: Row[] = [];
  const facts: number[] = [];
  const decisions: number[] = [];
  for (const { fact, sequence } of await asked.facts('postern.principal.left.v1')) {
    const subject = fact.data.principal;
    if (asked.args.subject !== undefined && asked.args.subject !== subject) continue;
    const ahead = scheduled.find(
      (each) => each.fact.inboundid !== undefined && each.fact.inboundid === fact.inboundid && each.sequence < sequence,
    );
    const enforced = await enforcedBehind(asked, sequence);
    const refused = await asked.reader.find('decisions', {
      subject,
      outcome: 'deny',
      since: fact.recordedtime,
      order: 'oldest',
      limit: 1,
    });
    const [refusal] = refused.rows;
    const seconds = secondsBetween(fact.time, enforced?.fact.recordedtime);
    facts.push(sequence, ...(ahead ? [ahead.sequence] : []), ...(enforced ? [enforced.sequence] : []));
    if (refusal !== undefined) decisions.push(refusal.index);
    rows.push({
      subject,
      effective: fact.time,
      received: ahead?.fact.recordedtime ?? fact.recordedtime,
      decided: fact.recordedtime,
      enforced: enforced?.fact.recordedtime,
      proxies: enforced?.fact.data.proxies,
      firstRefusal: refusal?.at,
      seconds,
      late: seconds === undefined ? undefined : seconds > slaHours * 3_600,
      fact: sequence,
      enforcedByFact: enforced?.sequence,
      refusedDecision: refusal?.id,
    });
  }
  const sorted = rows.flatMap(({ seconds }) => (typeof seconds === 'number' ? [seconds] : [])).sort((a, b) => a - b);
  return {
    rows,
    summary: {
      terminations: rows.length,
      slaHours,
      breaches: rows.filter(({ late }) => late === true).length,
      notEnforcedYet: rows.filter(({ enforced }) => enforced === undefined).length,
      p50Seconds: percentile(sorted, 0.5),
      p95Seconds: percentile(sorted, 0.95),
      maxSeconds: sorted.at(-1),
    },
    facts,
    decisions,
    notes: [
      'seconds are from the time for which HR said it to the fact that every live proxy enforces it',
      'who made no request after leaving was never refused: firstRefusal is empty then',
    ],
  };
};

export const allowedAfterLeaving = async (asked: Asked): Promise<Answer> => {
  const rows: Row[] = [];
  const facts: number[] = [];
  const decisions: number[] = [];
  const notes: string[] = [];
  const joins = await asked.allFacts('postern.principal.joined.v1');
  let checked = 0;
  for (const { fact, sequence } of await asked.facts('postern.principal.left.v1')) {
    const subject = fact.data.principal;
    if (asked.args.subject !== undefined && asked.args.subject !== subject) continue;
    checked++;
    facts.push(sequence);
    const back = joins.find((each) => each.fact.data.principal === subject && each.sequence > sequence);
    const { rows: allowed, more } = await asked.decisions({
      subject,
      outcome: 'allow',
      since: fact.time,
      ...(back !== undefined && { until: back.fact.recordedtime }),
    });
    if (more) notes.push(cutNote(`decisions about ${subject}`));
    for (const { at, endpoint, id, sequence: restsOn, index } of allowed) {
      const known = Date.parse(at) >= Date.parse(fact.recordedtime);
      const what =
        (restsOn ?? 0) >= sequence
          ? 'allowed although the decision knew that they had left'
          : known
            ? 'allowed before every proxy had heard of it'
            : 'allowed before we were told';
      rows.push({ subject, what, at, endpoint, restsOn, left: fact.time, told: fact.recordedtime, decision: id });
      decisions.push(index);
    }
  }
  return { rows, summary: { leavers: checked, found: rows.length }, facts, decisions, notes };
};

export const keptAfterMoving = async (asked: Asked): Promise<Answer> => {
  const rows: Row[] = [];
  const facts: number[] = [];
  const kept = await asked.allFacts('postern.review.decided.v1');
  for (const { fact, sequence } of await asked.facts('postern.principal.moved.v1')) {
    const subject = fact.data.principal;
    if (asked.args.subject !== undefined && asked.args.subject !== subject) continue;
    facts.push(sequence);
    const { organisation } = await asked.past.sliceOf(subject, asked.moment);
    const holders = [subject, ...[...organisation.groups.around(subject)].map((group) => `${group}#member`)];
    for (const holder of holders)
      for (const grant of organisation.grantsOf(holder as never)) {
        if (grant.issuedAt > sequence || (grant.origin === 'birthright' && holder === subject)) continue;
        const review = kept.find((each) => each.fact.data.grant === grant.id && each.sequence > sequence);
        rows.push({
          subject,
          moved: fact.recordedtime,
          from: fact.data.before.department,
          to: fact.data.after.department,
          role: grant.role,
          through: holder === subject ? undefined : holder,
          since: grant.issued,
          grantedBy: grant.by,
          reason: grant.reason,
          lookedAtSince: review?.fact.recordedtime,
          fact: grant.issuedAt,
        });
        facts.push(grant.issuedAt, ...(review ? [review.sequence] : []));
      }
  }
  return {
    rows,
    summary: { kept: rows.length, notLookedAt: rows.filter((row) => row['lookedAtSince'] === undefined).length },
    facts,
  };
};
