/** Questions 9 to 11: reviews and what became of them, what nobody uses, emergencies. */
import { type Answer, type Asked, enforcedBehind, type Row } from './asked.ts';

export const reviewCampaigns = async (asked: Asked): Promise<Answer> => {
  const rows: Row[] = [];
  const facts: number[] = [];
  const decisions: number[] = [];
  const opened = (await asked.facts('postern.review.opened.v1')).filter(
    ({ fact }) => asked.args.review === undefined || fact.data.review === asked.args.review,
  );
  const [decided, closed, revoked] = [
    await asked.allFacts('postern.review.decided.v1'),
    await asked.allFacts('postern.review.closed.v1'),
    await asked.allFacts('postern.grant.revoked.v1'),
  ];
  for (const { fact: open, sequence } of opened) {
    const { review, title, frozenAt, reviewer, items } = open.data;
    const end = closed.find(({ fact }) => fact.data.review === review);
    facts.push(sequence, ...(end ? [end.sequence] : []));
    const campaign = {
      review,
      title,
      frozenAt,
      items,
      reviewer,
      opened: open.recordedtime,
      closed: end?.fact.recordedtime,
    };
    const answers = decided.filter(({ fact }) => fact.data.review === review);
    if (answers.length === 0) rows.push({ ...campaign, decision: 'none yet' });
    for (const answer of answers) {
      const { grant, subject, role, decision, by, as, reason } = answer.fact.data;
      const taken =
        decision === 'revoke'
          ? revoked.find(({ fact }) => fact.data.grant === grant && fact.data.review === review)
          : undefined;
      const enforced = taken === undefined ? undefined : await enforcedBehind(asked, taken.sequence);
      const refused =
        enforced === undefined || !/^(user|workload):/.test(subject)
          ? undefined
          : (
              await asked.reader.find('decisions', {
                subject,
                outcome: 'deny',
                since: enforced.fact.recordedtime,
                order: 'oldest',
                limit: 1,
              })
            ).rows[0];
      facts.push(answer.sequence, ...[taken, enforced].flatMap((each) => (each ? [each.sequence] : [])));
      if (refused !== undefined) decisions.push(refused.index);
      rows.push({
        ...campaign,
        subject,
        role,
        decision,
        by,
        as,
        reason,
        decided: answer.fact.recordedtime,
        revoked: taken?.fact.recordedtime,
        enforced: enforced?.fact.recordedtime,
        thenRefused: refused?.at,
        refusedEndpoint: refused?.endpoint,
        fact: answer.sequence,
      });
    }
  }
  const revokes = rows.filter((row) => row['decision'] === 'revoke');
  return {
    rows,
    summary: {
      campaigns: opened.length,
      revokes: revokes.length,
      executed: revokes.filter((row) => row['revoked'] !== undefined).length,
      enforced: revokes.filter((row) => row['enforced'] !== undefined).length,
      thenRefused: revokes.filter((row) => row['thenRefused'] !== undefined).length,
    },
    facts,
    decisions,
    notes: ['whoever did not call again after their access was taken was not refused: thenRefused is empty then'],
  };
};

/** Subjects that are looked at where none is named. */
const subjectsMax = 200;

export const dormantAccess = async (asked: Asked): Promise<Answer> => {
  const { args, past, moment, reader } = asked;
  const days = args.days ?? 90;
  const since = new Date(Date.parse(moment.at) - days * 86_400_000).toISOString();
  const uses = await reader.lastUses(args.subject === undefined ? {} : { subject: args.subject });
  const used = new Map<string, string>();
  for (const { subject, endpoint, at } of uses) {
    if (at > moment.at) continue;
    const key = `${subject} ${endpoint}`;
    if (at > (used.get(key) ?? '')) used.set(key, at);
  }
  const everybody = await asked.allFacts('postern.principal.joined.v1');
  const subjects =
    args.subject === undefined ? [...new Set(everybody.map(({ fact }) => fact.data.principal))] : [args.subject];
  const rows: Row[] = [];
  const facts: number[] = [];
  for (const subject of subjects.slice(0, subjectsMax))
    for (const { endpoint, paths } of await past.what(subject, moment)) {
      const lastUsed = used.get(`${subject} ${endpoint}`);
      if (lastUsed !== undefined && lastUsed >= since) continue;
      if (paths.every(({ issued }) => (issued ?? '') > since)) continue;
      for (const { role, group, fact, grant } of paths)
        rows.push({ subject, endpoint, role, through: group, lastUsed, grant, fact });
      facts.push(...paths.map(({ fact }) => fact));
    }
  return {
    rows,
    summary: { days, subjects: Math.min(subjects.length, subjectsMax), unusedRights: rows.length },
    facts,
    notes: [
      'a right is listed where it is older than the days asked about and was not used in them; GET reports/dormant says it by grant',
      ...(subjects.length > subjectsMax
        ? [`only the first ${subjectsMax} of ${subjects.length} people are looked at; name a subject for the others`]
        : []),
    ],
  };
};

export const emergencies = async (asked: Asked): Promise<Answer> => {
  const [closed, reviewed] = [
    await asked.allFacts('postern.breakglass.closed.v1'),
    await asked.allFacts('postern.breakglass.reviewed.v1'),
  ];
  const rows: Row[] = [];
  const facts: number[] = [];
  const decisions: number[] = [];
  for (const { fact, sequence } of await asked.facts('postern.breakglass.opened.v1')) {
    const { use, subject, role, reason, ticket, until } = fact.data;
    const end = closed.find((each) => each.fact.data.use === use);
    const review = reviewed.find((each) => each.fact.data.use === use);
    const last = end?.fact.recordedtime ?? until;
    const { rows: done } = await asked.decisions({ subject, outcome: 'allow', since: fact.recordedtime, until: last });
    facts.push(sequence, ...[end, review].flatMap((each) => (each ? [each.sequence] : [])));
    decisions.push(...done.map(({ index }) => index));
    rows.push({
      use,
      subject,
      role,
      reason,
      ticket,
      opened: fact.recordedtime,
      until,
      closed: end?.fact.recordedtime,
      because: end?.fact.data.because,
      minutes: Math.round((Date.parse(last) - Date.parse(fact.recordedtime)) / 60_000),
      calls: done.length,
      called: [...new Set(done.flatMap(({ endpoint }) => endpoint ?? []))].join(' '),
      reviewedBy: review?.fact.data.by,
      reviewed: review?.fact.recordedtime,
      verdict: review?.fact.data.verdict,
      rationale: review?.fact.data.reason,
      fact: sequence,
    });
  }
  return {
    rows,
    summary: { uses: rows.length, notReviewed: rows.filter((row) => row['reviewed'] === undefined).length },
    facts,
    decisions,
    notes: ['calls are all that they were allowed meanwhile, whichever of their roles opened it'],
  };
};
