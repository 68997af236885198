/** The workbench of the commands that try models out: an embedded engine, and the judgement of the rooms themselves. */
import { judgeOver } from '@postern/authorizer/app';
import { decideCommand } from '@postern/grants/app';
import type { ModellingDeps } from '@postern/modelling/app';
import { openRelationships } from '@postern/relationships/open';

/**
 * The engine's own runtime collects garbage so often that checks cost it twice as much; a command that ends after seconds may use the
 * memory instead. Read by the engine when it is loaded, from the environment of the process.
 */
const garbageCollectionPercent = '400';

export const bench: ModellingDeps = {
  openEngine: () => {
    process.env['GOGC'] ??= garbageCollectionPercent;
    return openRelationships('embedded:');
  },
  judgeOver,
  decideCommand,
};
