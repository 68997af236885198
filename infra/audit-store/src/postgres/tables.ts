/**
 * The tables, as migrations: each runs once, in order. What is recorded is kept by the server itself: statements that would change
 * or remove it are refused by triggers that fire always (for the owner, for superusers, in replica sessions too), and the rights
 * to them are taken from everybody, the owner included.
 */
import { type LogName, logNames } from '../port.ts';
import { frozen, partitioned, rightsToParts, schema } from './partitions.ts';

export { schema } from './partitions.ts';

const tablesOf = (log: LogName): string => `
  CREATE TABLE ${schema}.${log}_entries (idx bigint PRIMARY KEY, bytes bytea NOT NULL, leaf bytea NOT NULL);
  CREATE TABLE ${schema}.${log}_rows (
    idx bigint NOT NULL, ord integer NOT NULL, at_ms bigint NOT NULL, sequence bigint,
    id text NOT NULL, at text NOT NULL, type text NOT NULL, outcome text, reason text, subject text, actor text, role text,
    service text, endpoint text, trace text, body text NOT NULL,
    PRIMARY KEY (idx, ord)
  );
  CREATE INDEX ON ${schema}.${log}_rows (id);
  CREATE INDEX ON ${schema}.${log}_rows (subject, idx, ord) WHERE subject IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (endpoint, idx, ord) WHERE endpoint IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (trace) WHERE trace IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (role, idx, ord) WHERE role IS NOT NULL;
  -- Most decisions are allowed: an index of the others stays small, and they are what is looked for.
  CREATE INDEX ON ${schema}.${log}_rows (outcome, idx, ord) WHERE outcome <> 'allow';
  -- Time and sequence grow with the place in the log: block ranges find them at next to no cost for the writer.
  CREATE INDEX ON ${schema}.${log}_rows USING brin (at_ms, sequence) WITH (pages_per_range = 32, autosummarize = on);

  INSERT INTO ${schema}.heads (log, size, edge) VALUES ('${log}', 0, '');
  CREATE TRIGGER dense AFTER INSERT ON ${schema}.${log}_entries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.behind_the_last('${log}');
  CREATE TRIGGER at_head AFTER INSERT ON ${schema}.${log}_rows REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.with_its_entry('${log}');
  ${frozen(`${log}_entries`, ['UPDATE', 'DELETE', 'TRUNCATE'])}
  ${frozen(`${log}_rows`, ['UPDATE', 'DELETE', 'TRUNCATE'])}
  ALTER TABLE ${schema}.${log}_entries ENABLE ALWAYS TRIGGER dense;
  ALTER TABLE ${schema}.${log}_rows ENABLE ALWAYS TRIGGER at_head;`;

const first = `
  CREATE TABLE ${schema}.heads (log text PRIMARY KEY, size bigint NOT NULL, edge bytea NOT NULL);
  CREATE TABLE ${schema}.cursors (log text NOT NULL, part text NOT NULL, next bigint NOT NULL, PRIMARY KEY (log, part));
  CREATE TABLE ${schema}.seals (log text PRIMARY KEY, size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL, at text NOT NULL);

  CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit/append-only: % of % is refused', TG_OP, TG_TABLE_NAME; END $$;
  CREATE FUNCTION ${schema}.never_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.size < OLD.size THEN RAISE EXCEPTION 'audit/append-only: a log never shrinks'; END IF;
      IF TG_TABLE_NAME = 'seals' AND NEW.size = OLD.size AND to_jsonb(NEW) -> 'root' <> to_jsonb(OLD) -> 'root' THEN
        RAISE EXCEPTION 'audit/append-only: what is signed is never unsigned';
      END IF;
      RETURN NEW;
    END $$;
  CREATE FUNCTION ${schema}.behind_the_last() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE head bigint; low bigint; high bigint; added_count bigint;
    BEGIN
      SELECT size INTO head FROM ${schema}.heads WHERE log = TG_ARGV[0];
      SELECT min(idx), max(idx), count(*) INTO low, high, added_count FROM added;
      IF added_count > 0 AND (low <> head OR high <> head + added_count - 1) THEN
        RAISE EXCEPTION 'audit/append-only: an entry comes behind the last';
      END IF;
      RETURN NULL;
    END $$;
  CREATE FUNCTION ${schema}.with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM added WHERE idx < (SELECT size FROM ${schema}.heads WHERE log = TG_ARGV[0])) THEN
        RAISE EXCEPTION 'audit/append-only: a row comes with its entry';
      END IF;
      RETURN NULL;
    END $$;

  CREATE TRIGGER never_back BEFORE UPDATE ON ${schema}.heads FOR EACH ROW EXECUTE FUNCTION ${schema}.never_back();
  CREATE TRIGGER never_back BEFORE UPDATE ON ${schema}.seals FOR EACH ROW EXECUTE FUNCTION ${schema}.never_back();
  ALTER TABLE ${schema}.heads ENABLE ALWAYS TRIGGER never_back;
  ALTER TABLE ${schema}.seals ENABLE ALWAYS TRIGGER never_back;
  ${frozen('heads', ['DELETE', 'TRUNCATE'])}
  ${frozen('seals', ['DELETE', 'TRUNCATE'])}
  ${logNames.map(tablesOf).join('\n')}`;

/** Every checkpoint, for ever; the one that was the newest so far is the first that is kept. */
const checkpoints = `
  CREATE TABLE ${schema}.checkpoints (
    log text NOT NULL, number bigint NOT NULL, size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL, at text NOT NULL,
    witnesses integer NOT NULL, PRIMARY KEY (log, number)
  );
  CREATE INDEX ON ${schema}.checkpoints (log, size, number);
  CREATE INDEX ON ${schema}.checkpoints (log, number) WHERE witnesses > 0;
  INSERT INTO ${schema}.checkpoints (log, number, size, root, note, at, witnesses)
    SELECT log, 1, size, root, note, at, 0 FROM ${schema}.seals;
  CREATE FUNCTION ${schema}.behind_the_last_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.number <> (SELECT COALESCE(max(number) + 1, 1) FROM ${schema}.checkpoints WHERE log = NEW.log) THEN
        RAISE EXCEPTION 'audit/append-only: a checkpoint comes behind the last';
      END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER dense BEFORE INSERT ON ${schema}.checkpoints
    FOR EACH ROW EXECUTE FUNCTION ${schema}.behind_the_last_checkpoint();
  ALTER TABLE ${schema}.checkpoints ENABLE ALWAYS TRIGGER dense;
  ${frozen('checkpoints', ['UPDATE', 'DELETE', 'TRUNCATE'])}`;

export const migrations: readonly string[] = [first, checkpoints, partitioned];

const appended = [...logNames.flatMap((log) => [`${log}_entries`, `${log}_rows`]), 'checkpoints'];
const spans = logNames.map((log) => `${log}_spans`);
const moved = ['heads', 'seals', 'cursors', ...spans];
const all = (tables: readonly string[]): string => tables.map((table) => `${schema}.${table}`).join(', ');

/** What the service's own role may do; whatever it was given before is taken back first. */
export const rightsOf = (role: string): string => `
  REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${role};
  GRANT USAGE ON SCHEMA ${schema} TO ${role};
  GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
  GRANT INSERT ON ${all(appended)}, ${all(['seals', 'cursors', ...spans])} TO ${role};
  GRANT UPDATE ON ${all(moved)} TO ${role};
  ${rightsToParts(role)}`;
