/** audit retention, audit prune: how long the logs are kept, and what is gone. */
import type { Command } from 'commander';
import { callJson } from '../client.ts';
import { print, printJson, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Published = {
  readonly policy: { readonly facts: string; readonly decisions: string };
  readonly since: { readonly sequence: number; readonly at: string } | null;
  readonly logs: Readonly<
    Record<
      'facts' | 'decisions',
      { readonly entries: number; readonly prunedBefore: number; readonly oldest?: string | null }
    >
  >;
  readonly pruned: {
    readonly before: number;
    readonly until: string;
    readonly recorded: string;
    readonly by: string;
    readonly sequence: number;
  } | null;
  readonly holds: readonly { readonly id: string }[];
};
type Pruning = {
  readonly outcome: 'pruned' | 'nothing' | 'would-prune';
  readonly from: number;
  readonly before: number;
  readonly until: string;
  readonly held: readonly { readonly id: string }[];
};

export const retentionCommands = (audit: Command): void => {
  withConnection(audit.command('retention'))
    .description('how long each log is kept, since when, what was pruned, and which holds keep more')
    .action(async (options: Shared) => {
      const published = await callJson<Published>(connect(options), '/audit/retention');
      if (options.json) return printJson(published);
      const { policy, since, logs, pruned, holds } = published;
      const told = since === null ? '' : `, as fact ${since.sequence} said on ${since.at}`;
      print(`facts      kept ${spoken(policy.facts)}: ${logs.facts.entries} entries`);
      const { entries, prunedBefore, oldest } = logs.decisions;
      print(
        `decisions  kept ${spoken(policy.decisions)}${told}: ${entries} entries${prunedBefore > 0 ? `, pruned before ${prunedBefore}` : ''}${oldest ? `, the oldest of ${oldest}` : ''}`,
      );
      if (pruned !== null)
        print(
          `pruned     all before ${pruned.until}, up to entry ${pruned.before}: fact ${pruned.sequence}, by ${pruned.by}`,
        );
      if (holds.length > 0) print(`held       by ${holds.map(({ id }) => id).join(', ')} (postern hold list)`);
    });

  withConnection(audit.command('prune'))
    .description('prune decisions that the policy no longer keeps, now; by itself it is done every hour')
    .option('--dry-run', 'say what would go')
    .action(async (options: Shared & { dryRun?: boolean }) => {
      const pruning = await callJson<Pruning>(connect(options), '/audit/prune', {
        method: 'POST',
        body: { dryRun: options.dryRun === true },
      });
      if (options.json) return printJson(pruning);
      const { outcome, from, before, until, held } = pruning;
      if (outcome === 'nothing')
        print(`nothing to prune: the policy keeps what happened since ${until}, and whole tiles of 256 entries go`);
      else
        print(
          `${outcome === 'pruned' ? 'pruned' : 'would prune'} entries ${from} to ${before - 1}, all from before ${until}; their hashes stay`,
        );
      if (held.length > 0) tell(`more would go, but for ${held.map(({ id }) => `hold ${id}`).join(', ')}`);
    });
};

const spoken = (kept: string): string => (kept === 'forever' ? 'for ever' : kept);
