/** audit: read the record, and check that it is what was signed. */
import type { AuditRow } from '@postern/schemas/record';
import { type Command, Option } from 'commander';
import { callJson } from '../client.ts';
import { wholeNumber } from '../input.ts';
import { printJson, printTable, readableTime, tell } from '../output.ts';
import { asOfCommand } from './as-of.ts';
import { proofCommands } from './audit-proofs.ts';
import { connect, type Shared, withConnection } from './connect.ts';
import { exportCommand } from './export.ts';
import { questionCommand } from './question.ts';
import { replayCommand } from './replay.ts';
import { retentionCommands } from './retention.ts';

type Row = Omit<AuditRow, 'body'> & { readonly index: number; readonly body: Record<string, unknown> };
type Page = {
  readonly items: readonly Row[];
  readonly next: string | null;
  readonly size: number;
  readonly checkpoint: string | null;
  readonly prunedBefore?: number;
};
type Filter = Shared & {
  readonly subject?: string;
  readonly endpoint?: string;
  readonly role?: string;
  readonly outcome?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly id?: string;
  readonly trace?: string;
  readonly limit?: number;
};

const filters = (command: Command): Command =>
  withConnection(command)
    .option('--subject <subject>', 'whom it is about')
    .option('--endpoint <endpoint>', 'SERVICE/OPERATION')
    .option('--since <instant>', 'not before (RFC 3339)')
    .option('--until <instant>', 'before (RFC 3339)')
    .option('--id <id>', 'one fact or decision')
    .option('--trace <id>', 'one trace')
    .option('--limit <n>', 'how many, the newest', wholeNumber(1, 1_000), 50);

const query = ({ subject, endpoint, role, outcome, type, since, until, id, trace, limit }: Filter) => ({
  subject,
  endpoint,
  role,
  outcome,
  type,
  since,
  until,
  id,
  trace,
  limit: limit?.toString(),
});

const shortType = (type: string): string => type.replace(/^postern\.|\.v\d+$/g, '');

export const auditCommands = (program: Command): void => {
  const audit = program.command('audit').description('the record: read it, verify it');

  const factsAction = async (options: Filter): Promise<void> => {
    const page = await callJson<Page>(connect(options), '/audit/facts', { query: query(options) });
    if (options.json) return printJson(page);
    const said = ({ data }: { data?: Record<string, unknown> }) =>
      String(
        data?.['reason'] ??
          (data?.['reached'] === undefined
            ? ''
            : `sequence ${data['reached']} enforced by ${data['proxies'] === 1 ? 'the proxy' : `${data['proxies']} proxies`}`),
      );
    printTable(
      ['SEQ', 'WHEN', 'WHAT', 'WHOM', 'ROLE', 'BY', 'WHY'],
      page.items
        .toReversed()
        .map(({ sequence, at, type, subject, role, actor, body }) => [
          sequence,
          readableTime(at),
          shortType(type),
          subject,
          role,
          actor,
          said(body),
        ]),
    );
    if (page.next !== null) tell(`there are more; --limit shows them (the log holds ${page.size})`);
  };
  const factOptions = (command: Command): Command =>
    filters(command)
      .option('--role <role>', 'about one role')
      .option('--type <type>', 'for instance postern.grant.revoked.v1');
  factOptions(audit.command('facts')).description('who was given what, by whom, why').action(factsAction);
  factOptions(program.command('facts')).description('the same as postern audit facts').action(factsAction);

  filters(audit.command('decisions'))
    .description('every request at the gate, allowed or refused')
    .addOption(new Option('--outcome <outcome>', 'only these').choices(['allow', 'deny', 'unavailable']))
    .action(async (options: Filter) => {
      const page = await callJson<Page>(connect(options), '/audit/decisions', { query: query(options) });
      if (options.json) return printJson(page);
      printTable(
        ['WHEN', 'WHO', 'OUTCOME', 'CALL', 'ENDPOINT', 'WHY', 'RESTS ON', 'DECISION'],
        page.items
          .toReversed()
          .map(({ at, subject, outcome, reason, endpoint, sequence, id, body }) => [
            readableTime(at),
            subject ?? '(nobody)',
            outcome,
            `${body['method']} ${body['path']}`,
            endpoint,
            reason,
            sequence === undefined ? '' : `fact ${sequence}`,
            id,
          ]),
      );
      if (page.prunedBefore !== undefined)
        tell(`decisions are pruned before entry ${page.prunedBefore} (postern audit retention)`);
      if (page.next !== null) tell(`there are more; --limit shows them (the log holds ${page.size})`);
    });

  asOfCommand(audit);
  replayCommand(audit);
  questionCommand(audit);
  exportCommand(audit);
  proofCommands(audit);
  retentionCommands(audit);
};
