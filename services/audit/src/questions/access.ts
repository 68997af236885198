/** Questions 1 to 5: who could, what they could, who gave it, who checked, and all of it. */

import type { TracedRight } from '@postern/schemas';
import { changesBetween } from '../as-of/changes.ts';
import { momentOf } from '../as-of/moment.ts';
import type { Answer, Asked, Row } from './asked.ts';

export const rightRows = (rights: readonly TracedRight[], more: Row = {}): Row[] =>
  rights.flatMap(({ subject, endpoint, conditional, paths }) =>
    (paths.length > 0 ? paths : [undefined]).map((path) => ({
      ...more,
      subject,
      endpoint,
      conditional,
      role: path?.role,
      through: path?.group,
      fact: path?.fact,
      grantedBy: path?.by,
      approvedBy: path?.approvals?.map(({ by }) => by).join(' '),
      ticket: path?.ticket,
      reason: path?.reason,
    })),
  );
const factsOf = (rights: readonly TracedRight[]): number[] =>
  rights.flatMap(({ paths }) => paths.map(({ fact }) => fact));

export const whoCould = async ({ past, args, moment }: Asked): Promise<Answer> => {
  const { rights, public: open } = await past.who(args.endpoint ?? '', moment);
  return {
    rows: rightRows(rights),
    summary: { subjects: rights.length, public: open },
    facts: factsOf(rights),
    ...(open && { notes: ['the endpoint was public: anybody could call it, without a credential'] }),
  };
};

export const whatCould = async (asked: Asked): Promise<Answer> => {
  const { past, args, moment, sizes, nowMs } = asked;
  const subject = args.subject ?? '';
  const rights = await past.what(subject, moment);
  if (args.from === undefined)
    return { rows: rightRows(rights), summary: { endpoints: rights.length }, facts: factsOf(rights) };
  const at = (text: string | undefined) => momentOf(past.history, sizes.facts, { text, known: args.known, nowMs });
  const [from, to] = [at(args.from), at(args.to ?? args.at)];
  const { gained, lost } = await changesBetween(past, [from, to], { subject });
  return {
    rows: [
      ...rightRows(await past.what(subject, to), { what: 'held at the end' }),
      ...rightRows(gained, { what: 'gained' }),
      ...rightRows(lost, { what: 'lost' }),
    ],
    summary: { gained: gained.length, lost: lost.length },
    facts: [...factsOf(rights), ...[...gained, ...lost].flatMap(({ because }) => because.map(({ fact }) => fact))],
  };
};

/** The grants of a period, each with whoever approved it, and when. */
const grantsGiven = async (asked: Asked) => {
  const { subject, role, grant } = asked.args;
  const approvals = await asked.allFacts('postern.grant.approved.v1');
  const grants = (await asked.facts('postern.grant.issued.v1')).filter(
    ({ fact: { data } }) =>
      (subject === undefined || data.subject === subject) &&
      (role === undefined || data.role === role) &&
      (grant === undefined || data.grant === grant),
  );
  return grants.map((given) => ({
    given,
    approvals: approvals.filter(({ fact }) => fact.data.request === given.fact.data.request),
  }));
};

export const whoGranted = async (asked: Asked): Promise<Answer> => {
  const all = await grantsGiven(asked);
  return {
    rows: all.map(({ given: { fact, sequence }, approvals }) => ({
      subject: fact.data.subject,
      role: fact.data.role,
      grantedBy: fact.authid,
      origin: fact.data.origin,
      reason: fact.data.reason,
      ticket: fact.data.ticket,
      request: fact.data.request,
      approvedBy: approvals.map(({ fact: { data } }) => `${data.by} as ${data.as}`).join(', '),
      approvedAt: approvals.map(({ fact: { recordedtime } }) => recordedtime).join(' '),
      effective: fact.data.conditions?.from ?? fact.recordedtime,
      recorded: fact.recordedtime,
      // Both stand in one log, and often in one append: the place decides, not the clock.
      approvedBefore: approvals.length === 0 ? undefined : approvals.every((each) => each.sequence < sequence),
      fact: sequence,
      grant: fact.data.grant,
    })),
    summary: {
      grants: all.length,
      withoutApproval: all.filter(({ approvals }) => approvals.length === 0).length,
      approvedTooLate: all.filter(({ given, approvals }) => approvals.some((each) => each.sequence > given.sequence))
        .length,
    },
    facts: all.flatMap(({ given, approvals }) => [given.sequence, ...approvals.map(({ sequence }) => sequence)]),
  };
};

export const dutiesSeparate = async (asked: Asked): Promise<Answer> => {
  const all = await grantsGiven(asked);
  const rows: Row[] = [];
  for (const { given, approvals } of all) {
    const { fact, sequence } = given;
    const found = (what: string, who: string, other: number) =>
      rows.push({ what, who, subject: fact.data.subject, role: fact.data.role, fact: sequence, other });
    // The last approver's yes is what issues the grant, so granter and approver are one there by design; the requester is the other.
    if (fact.authid === fact.data.subject && fact.data.origin !== 'break-glass')
      found('gave it to themselves', fact.authid, sequence);
    for (const approval of approvals)
      if (approval.fact.data.by === fact.data.subject)
        found('approved their own', fact.data.subject, approval.sequence);
  }
  const givers = new Map(
    (await asked.allFacts('postern.grant.issued.v1')).map(({ fact }) => [fact.data.grant, fact.authid]),
  );
  const reviewed = await asked.facts('postern.review.decided.v1');
  for (const { fact, sequence } of reviewed) {
    const { by, grant, subject, role } = fact.data;
    const about = { subject, role, fact: sequence, other: sequence };
    if (givers.get(grant) === by) rows.push({ what: 'reviewed what they had given', who: by, ...about });
    if (by === (subject as string)) rows.push({ what: 'reviewed their own', who: by, ...about });
  }
  return {
    rows,
    summary: { grantsChecked: all.length, reviewsChecked: reviewed.length, found: rows.length },
    facts: rows.flatMap(({ fact, other }) => [Number(fact), Number(other)]),
    notes: ['the one who gives the last approval is the one in whose name the grant is issued'],
  };
};

export const population = async (asked: Asked): Promise<Answer> => {
  const all = await asked.facts('postern.grant.issued.v1', 'postern.grant.revoked.v1', 'postern.grant.expired.v1');
  const many = (type: string) => all.filter(({ fact }) => fact.type === type).length;
  return {
    rows: all.map(({ fact, sequence }) => ({
      what: fact.type.replace(/^postern\.grant\.|\.v\d+$/g, ''),
      recorded: fact.recordedtime,
      subject: fact.data.subject,
      role: fact.data.role,
      by: fact.authid,
      reason: 'reason' in fact.data ? fact.data.reason : undefined,
      ticket: 'ticket' in fact.data ? fact.data.ticket : undefined,
      grant: fact.data.grant,
      fact: sequence,
    })),
    summary: {
      issued: many('postern.grant.issued.v1'),
      revoked: many('postern.grant.revoked.v1'),
      expired: many('postern.grant.expired.v1'),
    },
    facts: all.map(({ sequence }) => sequence),
    notes: [
      'nothing is omitted: the sequences of the log are dense under its checkpoint (question 19), so counting the log again (postern audit replay --ndjson) gives the same numbers',
    ],
  };
};
