/** The 25 questions of an auditor: what each asks, which clauses ask it, what it is asked with. A new one is a line here and a function. */
import { dutiesSeparate, population, whatCould, whoCould, whoGranted } from './access.ts';
import type { ArgumentName, Question } from './asked.ts';
import {
  administratorActions,
  recordsReviewed,
  refusedAttempts,
  whatEachRecordSays,
  whoReadTheRecord,
} from './attempts.ts';
import { allowedAfterLeaving, keptAfterMoving, terminations } from './leaving.ts';
import { dormantAccess, emergencies, reviewCampaigns } from './life.ts';
import { keysHeld, modelChanges } from './model-and-keys.ts';
import { clocks, complete, erasure, retention, rightlyDecided, sameAgain, unaltered } from './record.ts';

const period = ['from', 'to'] as const;
const moment = ['at', 'known'] as const;
const clauses = (soc2: string, iso27001: string, pciDss: string, hipaa: string) => ({ soc2, iso27001, pciDss, hipaa });

const question = (
  number: number,
  asks: string,
  named: Question['clauses'],
  [needs, takes]: readonly [readonly ArgumentName[], readonly ArgumentName[]],
  answer: Question['answer'],
): Question => ({ number, asks, clauses: named, needs, takes, answer });

export const questions: readonly Question[] = [
  question(
    1,
    'Who could call an endpoint at a moment, and through which role and group?',
    clauses('CC6.1, CC6.3', 'A.5.15', '7.2.1', '164.312(a)(1)'),
    [['endpoint'], moment],
    whoCould,
  ),
  question(
    2,
    'What could somebody reach at a moment, and how did that change over a period?',
    clauses('CC6.3', 'A.5.18', '7.2.2', '164.308(a)(4)'),
    [['subject'], [...moment, ...period]],
    whatCould,
  ),
  question(
    3,
    'Who granted access, who approved it, under which ticket and reason, and was it approved before it took effect?',
    clauses('CC6.2', 'A.5.18', '7.2.3', '164.308(a)(4)(ii)(B)'),
    [[], ['subject', 'role', 'grant', ...period]],
    whoGranted,
  ),
  question(
    4,
    'Was whoever asked for or gave access somebody else than its holder, approver and reviewer?',
    clauses('CC6.3, CC5.1', 'A.5.3', '7.2.3', '164.308(a)(3)'),
    [[], ['subject', 'role', ...period]],
    dutiesSeparate,
  ),
  question(
    5,
    'All grants and revocations of a period, counted, with nothing left out',
    clauses('CC6.2, CC6.3', 'A.5.18', '7.2.4', '164.308(a)(4)(ii)(C)'),
    [[], period],
    population,
  ),
  question(
    6,
    'How long from a termination until nothing let them in any more, and how often was that too long?',
    clauses('CC6.2, CC6.3', 'A.5.18, A.6.5', '8.2.5', '164.308(a)(3)(ii)(C)'),
    [[], ['subject', 'sla', ...period]],
    terminations,
  ),
  question(
    7,
    'Was anybody let in after they had left?',
    clauses('CC6.2', 'A.5.18, A.6.5', '8.2.5', '164.308(a)(3)(ii)(C)'),
    [[], ['subject', ...period]],
    allowedAfterLeaving,
  ),
  question(
    8,
    'What did people who moved keep from before?',
    clauses('CC6.3', 'A.5.18', '7.2.4', '164.308(a)(4)(ii)(C)'),
    [[], ['subject', ...period]],
    keptAfterMoving,
  ),
  question(
    9,
    'Reviews: what was frozen, who decided what and why, and was what they took away refused afterwards?',
    clauses('CC6.2, CC6.3', 'A.5.18', '7.2.4', '164.308(a)(4)(ii)(C)'),
    [[], ['review', ...period]],
    reviewCampaigns,
  ),
  question(
    10,
    'Which access does nobody use?',
    clauses('CC6.3', 'A.8.2', '7.2.5.1, 8.2.6', '164.308(a)(4)'),
    [[], ['subject', 'days', ...moment]],
    dormantAccess,
  ),
  question(
    11,
    'Emergencies: who, why, how long, what was done, who looked at it?',
    clauses('CC6.1, CC7.4', 'A.8.2', '7.2.5', '164.312(a)(2)(ii)'),
    [[], period],
    emergencies,
  ),
  question(
    12,
    'Who changed schema, routes or roles, what was it before, and whose access widened?',
    clauses('CC8.1', 'A.8.32', '6.5.1, 10.2.1.7', '164.308(a)(8)'),
    [[], ['role', ...period]],
    modelChanges,
  ),
  question(
    13,
    'Keys: issued, to whom, for what, rotated, revoked, last used',
    clauses('CC6.1', 'A.5.17', '8.6.3, 8.3.11', '164.312(d)'),
    [[], ['subject', ...period]],
    keysHeld,
  ),
  question(
    14,
    'Which requests were refused?',
    clauses('CC7.2', 'A.8.15', '10.2.1.4', '164.308(a)(5)(ii)(C)'),
    [[], ['subject', 'endpoint', ...period]],
    refusedAttempts,
  ),
  question(
    15,
    'What did administrators do?',
    clauses('CC7.2, CC8.1', 'A.8.15, A.8.2', '10.2.1.2, 10.2.1.5, 10.2.1.7', '164.312(b)'),
    [[], ['subject', ...period]],
    administratorActions,
  ),
  question(
    16,
    'Who read the record, and when was it not kept?',
    clauses('CC7.2', 'A.8.15', '10.2.1.3, 10.2.1.6', '164.312(b)'),
    [[], ['subject', ...period]],
    whoReadTheRecord,
  ),
  question(
    17,
    'Does each record say who, what, when, with what outcome, from where and on what?',
    clauses('CC7.2', 'A.8.15', '10.2.2', '164.312(b)'),
    [[], ['subject', ...period]],
    whatEachRecordSays,
  ),
  question(
    18,
    'Is a record unaltered, and was nothing removed or put in since an earlier checkpoint?',
    clauses('CC7.2', 'A.8.15', '10.3.4', '164.312(c)(1)'),
    [[], ['sequence', 'size']],
    unaltered,
  ),
  question(
    19,
    'Is anything missing, and what was set aside?',
    clauses('PI1.2, CC7.2', 'A.8.15', '10.7.2', '164.312(b)'),
    [[], []],
    complete,
  ),
  question(
    20,
    'How far do the times of occurrence and of recording lie apart?',
    clauses('CC7.2', 'A.8.17', '10.6', '164.312(b)'),
    [[], ['at']],
    clocks,
  ),
  question(
    21,
    'How far back does the record go, and was anything pruned or held?',
    clauses('C1.1, CC7.2', 'A.5.33', '10.5.1', '164.316(b)(2)(i)'),
    [[], []],
    retention,
  ),
  question(
    22,
    'What was erased of somebody, by whom, and does the log still verify?',
    clauses('P4.3, C1.2', 'A.5.34, A.8.10', '3.2.1', '164.528'),
    [[], ['subject']],
    erasure,
  ),
  question(
    23,
    'Does the authorizer, rebuilt from the log, hold what it held?',
    clauses('PI1.3', 'A.8.15', '10.3.4', '164.312(c)(1)'),
    [[], ['at']],
    sameAgain,
  ),
  question(
    24,
    'Was a decision right given what was known, and given what we know now?',
    clauses('PI1.4, CC6.1', 'A.5.15', '7.2.1', '164.312(a)(1)'),
    [['decision'], []],
    rightlyDecided,
  ),
  question(
    25,
    'Who looked at the records and reports, and when?',
    clauses('CC4.1, CC7.2', 'A.5.35, A.8.15', '10.4.1', '164.308(a)(1)(ii)(D), 164.312(b)'),
    [[], ['subject', ...period]],
    recordsReviewed,
  ),
];
