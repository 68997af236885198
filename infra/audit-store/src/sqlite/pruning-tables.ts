/**
 * What pruning needs in the SQLite file. The file itself sees to it that nothing goes but what a fact in the record says is pruned, with
 * whatever program it is opened.
 */
const refuse = (why: string): string => `SELECT RAISE(ABORT, 'audit/append-only: ${why}')`;

export const pruning = `
  CREATE TABLE decisions_kept (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
  CREATE TABLE pruned (log TEXT PRIMARY KEY, before INTEGER NOT NULL, fact INTEGER) STRICT, WITHOUT ROWID;
  INSERT INTO pruned (log, before) VALUES ('decisions', 0);
  CREATE TRIGGER kept_as_it_was BEFORE INSERT ON decisions_kept
    WHEN NEW.leaf IS NOT (SELECT leaf FROM decisions_entries WHERE idx = NEW.idx)
    BEGIN ${refuse('a leaf is kept as it was')}; END;
  CREATE TRIGGER kept_no_update BEFORE UPDATE ON decisions_kept BEGIN ${refuse('a leaf is never changed')}; END;
  CREATE TRIGGER kept_no_delete BEFORE DELETE ON decisions_kept BEGIN ${refuse('a leaf is never removed')}; END;
  CREATE TRIGGER pruned_no_insert BEFORE INSERT ON pruned BEGIN ${refuse('nothing else is pruned')}; END;
  CREATE TRIGGER pruned_no_delete BEFORE DELETE ON pruned BEGIN ${refuse('what is pruned stays pruned')}; END;
  CREATE TRIGGER pruned_by_a_fact BEFORE UPDATE ON pruned BEGIN
    SELECT RAISE(ABORT, 'audit/append-only: no fact says that this is pruned')
      WHERE NOT EXISTS (
        SELECT 1 FROM facts_entries WHERE idx = NEW.fact
          AND json_extract(CAST(bytes AS TEXT), '$.type') = 'postern.retention.pruned.v1'
          AND json_extract(CAST(bytes AS TEXT), '$.data.log') = NEW.log
          AND json_extract(CAST(bytes AS TEXT), '$.data.before') >= NEW.before);
    SELECT RAISE(ABORT, 'audit/append-only: what is pruned stays pruned') WHERE NEW.log <> OLD.log OR NEW.before < OLD.before;
    SELECT RAISE(ABORT, 'audit/append-only: the last entry is never pruned')
      WHERE NEW.before >= (SELECT size FROM heads WHERE log = NEW.log);
    SELECT RAISE(ABORT, 'audit/append-only: the leaves of what is pruned are kept')
      WHERE (SELECT count(*) FROM decisions_kept WHERE idx >= OLD.before AND idx < NEW.before) <> NEW.before - OLD.before;
  END;
  ${['entries', 'rows']
    .map(
      (part) => `
  DROP TRIGGER decisions_${part}_no_delete;
  CREATE TRIGGER decisions_${part}_no_delete BEFORE DELETE ON decisions_${part}
    WHEN OLD.idx >= (SELECT before FROM pruned WHERE log = 'decisions')
    BEGIN ${refuse(`DELETE of decisions_${part} is refused`)}; END;`,
    )
    .join('')}`;
