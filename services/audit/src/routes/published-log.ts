/** A log as its routes see it. */
import type { LogName } from '@postern/audit-store';
import type { NoteKey } from '@postern/schemas/tlog';
import type { LogTree } from '../tree.ts';

export type PublishedLog = {
  readonly name: LogName;
  readonly tree: LogTree;
  /** How many witnesses make a checkpoint witnessed. */
  readonly quorum: number;
  /** Those that sign now first, behind them those that did. */
  readonly keys: () => readonly NoteKey[];
};
