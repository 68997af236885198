/**
 * The tables of one audit file, and the rules that the file itself keeps: whoever opens it, with whatever program, an UPDATE or
 * DELETE of an entry is refused. (A hand that removes the triggers first is not stopped but found: the leaves are signed.)
 */
import { type LogName, logNames } from '../port.ts';
import { groupBits } from '../spans.ts';

/** Raised in its text, so that the adapter can tell it from other failures. */
const refuse = (why: string): string => `SELECT RAISE(ABORT, 'audit/append-only: ${why}')`;

const tablesOf = (log: LogName): string => `
  CREATE TABLE ${log}_entries (idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;
  CREATE TABLE ${log}_rows (
    idx INTEGER NOT NULL, ord INTEGER NOT NULL, at_ms INTEGER NOT NULL, sequence INTEGER,
    id TEXT NOT NULL, at TEXT NOT NULL, type TEXT NOT NULL, outcome TEXT, reason TEXT, subject TEXT, actor TEXT, role TEXT,
    service TEXT, endpoint TEXT, trace TEXT, body TEXT NOT NULL,
    PRIMARY KEY (idx, ord)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ${log}_rows_by_id ON ${log}_rows (id);
  CREATE INDEX ${log}_rows_by_at ON ${log}_rows (at_ms);
  CREATE INDEX ${log}_rows_by_subject ON ${log}_rows (subject, idx, ord) WHERE subject IS NOT NULL;
  CREATE INDEX ${log}_rows_by_role ON ${log}_rows (role, idx, ord) WHERE role IS NOT NULL;
  CREATE INDEX ${log}_rows_by_endpoint ON ${log}_rows (endpoint, idx, ord) WHERE endpoint IS NOT NULL;
  CREATE INDEX ${log}_rows_by_service ON ${log}_rows (service, idx, ord) WHERE service IS NOT NULL;
  CREATE INDEX ${log}_rows_by_trace ON ${log}_rows (trace, idx, ord) WHERE trace IS NOT NULL;
  CREATE INDEX ${log}_rows_by_outcome ON ${log}_rows (outcome, idx, ord) WHERE outcome IS NOT NULL;
  INSERT INTO heads (log, size, edge) VALUES ('${log}', 0, x'');

  CREATE TRIGGER ${log}_entries_no_update BEFORE UPDATE ON ${log}_entries BEGIN ${refuse('an entry is never changed')}; END;
  CREATE TRIGGER ${log}_entries_no_delete BEFORE DELETE ON ${log}_entries BEGIN ${refuse('an entry is never removed')}; END;
  CREATE TRIGGER ${log}_entries_dense BEFORE INSERT ON ${log}_entries
    WHEN NEW.idx IS NOT (SELECT COALESCE(MAX(idx) + 1, 0) FROM ${log}_entries)
    BEGIN ${refuse('an entry comes behind the last')}; END;
  CREATE TRIGGER ${log}_rows_no_update BEFORE UPDATE ON ${log}_rows BEGIN ${refuse('a row is never changed')}; END;
  CREATE TRIGGER ${log}_rows_no_delete BEFORE DELETE ON ${log}_rows BEGIN ${refuse('a row is never removed')}; END;
  CREATE TRIGGER ${log}_rows_at_head BEFORE INSERT ON ${log}_rows
    WHEN NEW.idx < (SELECT size FROM heads WHERE log = '${log}')
    BEGIN ${refuse('a row comes with its entry')}; END;`;

const first = `
  CREATE TABLE heads (log TEXT PRIMARY KEY, size INTEGER NOT NULL, edge BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE cursors (log TEXT NOT NULL, part TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (log, part)) STRICT, WITHOUT ROWID;
  CREATE TABLE seals (log TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TRIGGER heads_no_return BEFORE UPDATE ON heads WHEN NEW.size < OLD.size BEGIN ${refuse('a log never shrinks')}; END;
  CREATE TRIGGER heads_no_delete BEFORE DELETE ON heads BEGIN ${refuse('a log is never removed')}; END;
  CREATE TRIGGER seals_no_return BEFORE UPDATE ON seals
    WHEN NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
    BEGIN ${refuse('what is signed is never unsigned')}; END;
  CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals BEGIN ${refuse('what is signed is never unsigned')}; END;
  ${logNames.map(tablesOf).join('\n')}`;

/** Every checkpoint, for ever; the one that was the newest so far is the first that is kept. */
const checkpoints = `
  CREATE TABLE checkpoints (
    log TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL,
    witnesses INTEGER NOT NULL, PRIMARY KEY (log, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX checkpoints_by_size ON checkpoints (log, size, number);
  CREATE INDEX checkpoints_by_witnesses ON checkpoints (log, number) WHERE witnesses > 0;
  INSERT INTO checkpoints (log, number, size, root, note, at, witnesses) SELECT log, 1, size, root, note, at, 0 FROM seals;
  CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints BEGIN ${refuse('what is signed is never unsigned')}; END;
  CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints BEGIN ${refuse('what is signed is never unsigned')}; END;
  CREATE TRIGGER checkpoints_dense BEFORE INSERT ON checkpoints
    WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number) + 1, 1) FROM checkpoints WHERE log = NEW.log)
    BEGIN ${refuse('a checkpoint comes behind the last')}; END;`;

/**
 * A row holds its body only where its entry's bytes do not, and times are found by groups of entries: what was written twice is
 * written once.
 */
const compactOf = (log: LogName): string => `
  CREATE TABLE ${log}_compact (
    idx INTEGER NOT NULL, ord INTEGER NOT NULL, at_ms INTEGER NOT NULL, sequence INTEGER, body_at INTEGER, body_bytes INTEGER,
    id TEXT NOT NULL, at TEXT, type TEXT NOT NULL, outcome TEXT, reason TEXT, subject TEXT, actor TEXT, role TEXT,
    service TEXT, endpoint TEXT, trace TEXT, body TEXT,
    PRIMARY KEY (idx, ord), CHECK (body IS NOT NULL OR (body_at IS NOT NULL AND body_bytes IS NOT NULL))
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ${log}_compact (idx, ord, at_ms, sequence, id, at, type, outcome, reason, subject, actor, role, service, endpoint, trace, body)
    SELECT idx, ord, at_ms, sequence, id, at, type, outcome, reason, subject, actor, role, service, endpoint, trace, body FROM ${log}_rows;
  DROP TABLE ${log}_rows;
  ALTER TABLE ${log}_compact RENAME TO ${log}_rows;
  CREATE INDEX ${log}_rows_by_id ON ${log}_rows (id);
  CREATE INDEX ${log}_rows_by_type ON ${log}_rows (type, idx, ord) WHERE type <> 'decision';
  CREATE INDEX ${log}_rows_by_subject ON ${log}_rows (subject, idx, ord) WHERE subject IS NOT NULL;
  CREATE INDEX ${log}_rows_by_role ON ${log}_rows (role, idx, ord) WHERE role IS NOT NULL;
  CREATE INDEX ${log}_rows_by_endpoint ON ${log}_rows (endpoint, idx, ord) WHERE endpoint IS NOT NULL;
  CREATE INDEX ${log}_rows_by_service ON ${log}_rows (service, idx, ord) WHERE service IS NOT NULL;
  CREATE INDEX ${log}_rows_by_trace ON ${log}_rows (trace, idx, ord) WHERE trace IS NOT NULL;
  CREATE INDEX ${log}_rows_by_outcome ON ${log}_rows (outcome, idx, ord) WHERE outcome <> 'allow';
  CREATE TRIGGER ${log}_rows_no_update BEFORE UPDATE ON ${log}_rows BEGIN ${refuse('a row is never changed')}; END;
  CREATE TRIGGER ${log}_rows_no_delete BEFORE DELETE ON ${log}_rows BEGIN ${refuse('a row is never removed')}; END;
  CREATE TRIGGER ${log}_rows_at_head BEFORE INSERT ON ${log}_rows
    WHEN NEW.idx < (SELECT size FROM heads WHERE log = '${log}')
    BEGIN ${refuse('a row comes with its entry')}; END;

  CREATE TABLE ${log}_spans (
    grp INTEGER PRIMARY KEY, low_ms INTEGER NOT NULL, high_ms INTEGER NOT NULL, low_sequence INTEGER, high_sequence INTEGER
  ) STRICT;
  INSERT INTO ${log}_spans (grp, low_ms, high_ms, low_sequence, high_sequence)
    SELECT idx >> ${groupBits}, MIN(at_ms), MAX(at_ms), MIN(sequence), MAX(sequence) FROM ${log}_rows GROUP BY 1;
  CREATE TRIGGER ${log}_spans_widen BEFORE UPDATE ON ${log}_spans
    WHEN NEW.grp <> OLD.grp OR NEW.low_ms > OLD.low_ms OR NEW.high_ms < OLD.high_ms
      OR NEW.low_sequence IS NULL AND OLD.low_sequence IS NOT NULL OR NEW.low_sequence > OLD.low_sequence
      OR NEW.high_sequence IS NULL AND OLD.high_sequence IS NOT NULL OR NEW.high_sequence < OLD.high_sequence
    BEGIN ${refuse('what can be found by its time stays so')}; END;
  CREATE TRIGGER ${log}_spans_no_delete BEFORE DELETE ON ${log}_spans
    BEGIN ${refuse('what can be found by its time stays so')}; END;`;

const compact = logNames.map(compactOf).join('\n');

/** Each runs once, in order. */
export const migrations: readonly string[] = [first, checkpoints, compact];
