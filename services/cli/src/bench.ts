/** The workbench of the commands that try models out: an embedded engine, and the judgement of the rooms themselves. */
import { judgeOver } from '@postern/authorizer/app';
import { decideCommand } from '@postern/grants/app';
import type { ModellingDeps } from '@postern/modelling/app';
import { openRelationships } from '@postern/relationships/open';

export const bench: ModellingDeps = { openEngine: () => openRelationships('embedded:'), judgeOver, decideCommand };
