/**
 * Pruning: entries and rows of a prefix of the decisions go, their leaf hashes stay. The server itself sees to it that nothing goes
 * but what a fact in the record says is pruned, whoever asks: the service's role may call the function, and remove nothing by hand.
 */
import type pg from 'pg';
import { schema } from './partitions.ts';

const prunable = ['decisions_entries', 'decisions_rows'];

export const pruning = `
  CREATE TABLE ${schema}.decisions_kept (idx bigint PRIMARY KEY, leaf bytea NOT NULL);
  -- fact: the index of the fact that says so.
  CREATE TABLE ${schema}.pruned (log text PRIMARY KEY, before bigint NOT NULL, fact bigint);
  INSERT INTO ${schema}.pruned (log, before) VALUES ('decisions', 0);

  CREATE FUNCTION ${schema}.kept_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM added LEFT JOIN ${schema}.decisions_entries USING (idx) WHERE decisions_entries.leaf IS DISTINCT FROM added.leaf) THEN
        RAISE EXCEPTION 'audit/append-only: a leaf is kept as it was';
      END IF;
      RETURN NULL;
    END $$;
  CREATE TRIGGER as_it_was AFTER INSERT ON ${schema}.decisions_kept REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.kept_as_it_was();
  ALTER TABLE ${schema}.decisions_kept ENABLE ALWAYS TRIGGER as_it_was;

  CREATE FUNCTION ${schema}.pruned_by_a_fact() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE told json;
    BEGIN
      SELECT convert_from(bytes, 'UTF8')::json INTO told FROM ${schema}.facts_entries WHERE idx = NEW.fact;
      IF told ->> 'type' IS DISTINCT FROM 'postern.retention.pruned.v1' OR told -> 'data' ->> 'log' IS DISTINCT FROM NEW.log
        OR COALESCE((told -> 'data' ->> 'before')::bigint, 0) < NEW.before THEN
        RAISE EXCEPTION 'audit/append-only: no fact says that this is pruned';
      END IF;
      IF NEW.log <> OLD.log OR NEW.before < OLD.before THEN RAISE EXCEPTION 'audit/append-only: what is pruned stays pruned'; END IF;
      IF NEW.before >= (SELECT size FROM ${schema}.heads WHERE log = NEW.log) THEN
        RAISE EXCEPTION 'audit/append-only: the last entry is never pruned';
      END IF;
      IF (SELECT count(*) FROM ${schema}.decisions_kept WHERE idx >= OLD.before AND idx < NEW.before) <> NEW.before - OLD.before THEN
        RAISE EXCEPTION 'audit/append-only: the leaves of what is pruned are kept';
      END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER by_a_fact BEFORE UPDATE ON ${schema}.pruned FOR EACH ROW EXECUTE FUNCTION ${schema}.pruned_by_a_fact();
  ALTER TABLE ${schema}.pruned ENABLE ALWAYS TRIGGER by_a_fact;

  CREATE FUNCTION ${schema}.only_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM gone WHERE idx >= (SELECT before FROM ${schema}.pruned WHERE log = 'decisions')) THEN
        RAISE EXCEPTION 'audit/append-only: DELETE of % is refused', TG_TABLE_NAME;
      END IF;
      RETURN NULL;
    END $$;
  ${prunable
    .map(
      (table) => `
  DROP TRIGGER frozen ON ${schema}.${table};
  CREATE TRIGGER frozen BEFORE UPDATE OR TRUNCATE ON ${schema}.${table} FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse();
  CREATE TRIGGER only_pruned AFTER DELETE ON ${schema}.${table} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.only_pruned();
  ALTER TABLE ${schema}.${table} ENABLE ALWAYS TRIGGER frozen;
  ALTER TABLE ${schema}.${table} ENABLE ALWAYS TRIGGER only_pruned;
  GRANT DELETE ON ${schema}.${table} TO CURRENT_USER;`,
    )
    .join('')}
  CREATE TRIGGER frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON ${schema}.decisions_kept
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse();
  ALTER TABLE ${schema}.decisions_kept ENABLE ALWAYS TRIGGER frozen;
  CREATE TRIGGER frozen BEFORE DELETE OR TRUNCATE ON ${schema}.pruned
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse();
  ALTER TABLE ${schema}.pruned ENABLE ALWAYS TRIGGER frozen;

  -- As the owner, who alone may remove; what may be removed say the triggers.
  CREATE FUNCTION ${schema}.prune(which text, up_to bigint, told_by bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE reached bigint; part ${schema}.parts; kind text;
    BEGIN
      SELECT before INTO reached FROM ${schema}.pruned WHERE log = which FOR UPDATE;
      IF reached IS NULL THEN RAISE EXCEPTION 'audit/append-only: % is never pruned', which; END IF;
      IF up_to <= reached THEN RETURN; END IF;
      INSERT INTO ${schema}.decisions_kept (idx, leaf)
        SELECT idx, leaf FROM ${schema}.decisions_entries WHERE idx >= reached AND idx < up_to;
      UPDATE ${schema}.pruned SET before = up_to, fact = told_by WHERE log = which;
      -- Whole partitions at once; what reaches into one that goes on is removed from it.
      FOR part IN SELECT * FROM ${schema}.parts WHERE log = which AND first < past AND past <= up_to LOOP
        FOREACH kind IN ARRAY ARRAY['rows', 'entries'] LOOP
          EXECUTE format('ALTER TABLE ${schema}.%I DETACH PARTITION ${schema}.%I', which || '_' || kind, which || '_' || kind || '_p' || part.first);
          EXECUTE format('DROP TABLE ${schema}.%I', which || '_' || kind || '_p' || part.first);
        END LOOP;
        DELETE FROM ${schema}.parts WHERE log = which AND first = part.first AND past = part.past;
      END LOOP;
      DELETE FROM ${schema}.decisions_rows WHERE idx < up_to;
      DELETE FROM ${schema}.decisions_entries WHERE idx < up_to;
    END $$;
  REVOKE ALL ON FUNCTION ${schema}.prune(text, bigint, bigint) FROM PUBLIC;`;

/** What the service's own role may do about it. */
export const pruningRights = (role: string): string =>
  `GRANT EXECUTE ON FUNCTION ${schema}.prune(text, bigint, bigint) TO ${role};`;

/** `upTo`: that of the log from here on. */
export const pruneEntries = async (pool: pg.Pool, log: string, upTo: number, fact: number): Promise<void> => {
  await pool.query(`SELECT ${schema}.prune($1, $2, $3)`, [log, upTo, fact]);
};

export const prunedBefore = async (pool: Pick<pg.Pool, 'query'>, log: string): Promise<number> =>
  Number((await pool.query(`SELECT before FROM ${schema}.pruned WHERE log = $1`, [log])).rows[0]?.before ?? 0);

/** Leaves [from, to), those that stay of what was pruned among them. Entries: rejects with `audit/pruned`. */
export const entriesSql = (log: string, column: 'bytes' | 'leaf'): string => {
  const there = `SELECT idx, ${column} AS value FROM ${schema}.${log}_entries WHERE idx >= $1 AND idx < $2`;
  return column === 'leaf' && log === 'decisions'
    ? `${there} UNION ALL SELECT idx, leaf AS value FROM ${schema}.decisions_kept WHERE idx >= $1 AND idx < $2 ORDER BY idx`
    : `${there} ORDER BY idx`;
};
