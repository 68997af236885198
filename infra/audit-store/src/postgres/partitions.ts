/**
 * Entries and rows in partitions, by their place in the log: the log grows with time, so a partition is a stretch of time, a whole one
 * can be taken away, and what is looked for by time is looked for in few of them. The next one is made when the one made before is
 * entered, as wide as what comes in a week or as what stays handy, whichever is less.
 */
import { type LogName, logNames } from '../port.ts';
import { groupBits } from '../spans.ts';

export const schema = 'postern_audit';

/** Entries in the first partitions, of which nothing is known yet. */
const widthFirst = 16_384;
const widthMin = 4_096;
/** Rows of a partition, about 4 GB of a busy log with its indexes. */
const rowsMax = 16_000_000;

/** Refuses the statements, whoever makes them and however many rows they meet. */
export const frozen = (table: string, statements: readonly string[]): string => `
  CREATE TRIGGER frozen BEFORE ${statements.join(' OR ')} ON ${schema}.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse();
  ALTER TABLE ${schema}.${table} ENABLE ALWAYS TRIGGER frozen;
  REVOKE ${statements.join(', ')} ON ${schema}.${table} FROM PUBLIC, CURRENT_USER;`;

/** What keeps a table of entries or rows, a partition as well as the whole: whoever reaches for the one meets it as at the other. */
const guarded = (log: LogName, kind: 'entries' | 'rows', table: string): string => {
  const guard = kind === 'entries' ? 'behind_the_last' : 'with_its_entry';
  return `
  CREATE TRIGGER at_head AFTER INSERT ON ${schema}.${table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.${guard}('${log}');
  ALTER TABLE ${schema}.${table} ENABLE ALWAYS TRIGGER at_head;
  ${frozen(table, ['UPDATE', 'DELETE', 'TRUNCATE'])}`;
};

const tablesOf = (log: LogName): string => `
  ALTER TABLE ${schema}.${log}_entries RENAME TO ${log}_entries_before;
  ALTER TABLE ${schema}.${log}_rows RENAME TO ${log}_rows_before;
  CREATE TABLE ${schema}.${log}_entries (idx bigint PRIMARY KEY, bytes bytea NOT NULL, leaf bytea NOT NULL) PARTITION BY RANGE (idx);
  CREATE TABLE ${schema}.${log}_rows (
    idx bigint NOT NULL, at_ms bigint NOT NULL, sequence bigint, body_at integer, body_bytes integer, ord smallint NOT NULL,
    id text NOT NULL, at text, type text NOT NULL, outcome text, reason text, subject text, actor text, role text,
    service text, endpoint text, trace text, body text,
    CHECK (body IS NOT NULL OR (body_at IS NOT NULL AND body_bytes IS NOT NULL))
  ) PARTITION BY RANGE (idx);
  -- Where the server was built without it, its own compression does.
  DO $$ BEGIN EXECUTE 'ALTER TABLE ${schema}.${log}_entries ALTER COLUMN bytes SET COMPRESSION lz4';
    EXCEPTION WHEN OTHERS THEN NULL; END $$;
  CREATE INDEX ON ${schema}.${log}_rows (idx);
  CREATE INDEX ON ${schema}.${log}_rows USING hash (id);
  CREATE INDEX ON ${schema}.${log}_rows USING hash (trace) WHERE trace IS NOT NULL;
  -- By group, not by place: what an index says again and again it holds once, and a group is sorted when it is read.
  CREATE INDEX ON ${schema}.${log}_rows (subject, (idx >> ${groupBits})) WHERE subject IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (endpoint, (idx >> ${groupBits})) WHERE endpoint IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (service, (idx >> ${groupBits})) WHERE service IS NOT NULL;
  CREATE INDEX ON ${schema}.${log}_rows (role, (idx >> ${groupBits})) WHERE role IS NOT NULL;
  -- Most decisions are allowed, and most rows of decisions are decisions: an index of the others stays small.
  CREATE INDEX ON ${schema}.${log}_rows (outcome, (idx >> ${groupBits})) WHERE outcome <> 'allow';
  CREATE INDEX ON ${schema}.${log}_rows (type, (idx >> ${groupBits})) WHERE type <> 'decision';

  CREATE TABLE ${schema}.${log}_spans (
    grp bigint PRIMARY KEY, low_ms bigint NOT NULL, high_ms bigint NOT NULL, low_sequence bigint, high_sequence bigint
  );
  INSERT INTO ${schema}.${log}_spans (grp, low_ms, high_ms, low_sequence, high_sequence)
    SELECT idx >> ${groupBits}, min(at_ms), max(at_ms), min(sequence), max(sequence) FROM ${schema}.${log}_rows_before GROUP BY 1;
  CREATE TRIGGER widen BEFORE UPDATE ON ${schema}.${log}_spans FOR EACH ROW EXECUTE FUNCTION ${schema}.only_wider();
  ALTER TABLE ${schema}.${log}_spans ENABLE ALWAYS TRIGGER widen;
  ${frozen(`${log}_spans`, ['DELETE', 'TRUNCATE'])}

  INSERT INTO ${schema}.parts (log, first, past) SELECT '${log}', 0, 0;
  SELECT ${schema}.make_ahead('${log}', (SELECT size FROM ${schema}.heads WHERE log = '${log}'));
  INSERT INTO ${schema}.${log}_entries (idx, bytes, leaf) SELECT idx, bytes, leaf FROM ${schema}.${log}_entries_before ORDER BY idx;
  INSERT INTO ${schema}.${log}_rows
      (idx, ord, at_ms, sequence, id, at, type, outcome, reason, subject, actor, role, service, endpoint, trace, body)
    SELECT idx, ord, at_ms, sequence, id, at, type, outcome, reason, subject, actor, role, service, endpoint, trace, body
      FROM ${schema}.${log}_rows_before ORDER BY idx, ord;
  DROP TABLE ${schema}.${log}_entries_before, ${schema}.${log}_rows_before;
  ${guarded(log, 'entries', `${log}_entries`)}
  ${guarded(log, 'rows', `${log}_rows`)}`;

/**
 * What the service may have made: partitions at the end, none but the next, and only where they are needed. It runs with the rights of
 * the tables' owner, and gives each partition to whoever may append to the whole.
 */
const makeAhead = `
  CREATE TABLE ${schema}.parts (
    log text NOT NULL, first bigint NOT NULL, past bigint NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, first, past)
  );
  CREATE FUNCTION ${schema}.make_ahead(which text, needed bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      last ${schema}.parts; before ${schema}.parts; head bigint; width double precision; rows_each double precision;
      whole text; child text; kind text; holder text;
    BEGIN
      IF which NOT IN (${logNames.map((log) => `'${log}'`).join(', ')}) THEN RAISE EXCEPTION 'no log is named %', which; END IF;
      PERFORM pg_advisory_xact_lock(hashtext('${schema}.make_ahead.' || which));
      SELECT size INTO head FROM ${schema}.heads WHERE log = which;
      IF needed > head + 1000000 THEN RAISE EXCEPTION 'partitions are made for what comes next'; END IF;
      LOOP
        SELECT * INTO last FROM ${schema}.parts WHERE log = which ORDER BY past DESC LIMIT 1;
        -- One that nothing has reached yet lies ahead already.
        EXIT WHEN last.first > needed;
        SELECT * INTO before FROM ${schema}.parts WHERE log = which AND past = last.first AND first < past;
        width := ${widthFirst};
        IF before.first IS NOT NULL THEN
          width := (before.past - before.first) * 604800
            / greatest(extract(epoch FROM clock_timestamp() - last.made_at), 1);
          SELECT r.reltuples / e.reltuples INTO rows_each FROM pg_class r, pg_class e
            WHERE r.oid = to_regclass(format('${schema}.%I', which || '_rows_p' || before.first))
              AND e.oid = to_regclass(format('${schema}.%I', which || '_entries_p' || before.first))
              AND r.reltuples > 0 AND e.reltuples > 0;
          width := greatest(${widthMin}, least(width, ${rowsMax} / coalesce(rows_each, ${rowsMax / 65_536})));
        END IF;
        INSERT INTO ${schema}.parts (log, first, past)
          VALUES (which, last.past, last.past + ceil(width / ${2 ** groupBits})::bigint * ${2 ** groupBits});
        SELECT * INTO last FROM ${schema}.parts WHERE log = which ORDER BY past DESC LIMIT 1;
        FOREACH kind IN ARRAY ARRAY['entries', 'rows'] LOOP
          whole := which || '_' || kind;
          child := whole || '_p' || last.first;
          EXECUTE format('CREATE TABLE ${schema}.%I (LIKE ${schema}.%I INCLUDING ALL)', child, whole);
          -- Attached, not made as a part: readers of the whole go on meanwhile.
          EXECUTE format('ALTER TABLE ${schema}.%I ATTACH PARTITION ${schema}.%I FOR VALUES FROM (%s) TO (%s)',
            whole, child, last.first, last.past);
          EXECUTE format('CREATE TRIGGER at_head AFTER INSERT ON ${schema}.%I REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.%I(%L)',
            child, CASE kind WHEN 'entries' THEN 'behind_the_last' ELSE 'with_its_entry' END, which);
          EXECUTE format('CREATE TRIGGER frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON ${schema}.%I
            FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse()', child);
          EXECUTE format('ALTER TABLE ${schema}.%I ENABLE ALWAYS TRIGGER at_head, ENABLE ALWAYS TRIGGER frozen', child);
          EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON ${schema}.%I FROM PUBLIC, CURRENT_USER', child);
          FOR holder IN
            SELECT DISTINCT rolname FROM pg_class, aclexplode(relacl) AS given, pg_roles
              WHERE pg_class.oid = format('${schema}.%I', whole)::regclass AND given.grantee = pg_roles.oid
                AND privilege_type = 'INSERT'
          LOOP
            EXECUTE format('GRANT SELECT, INSERT ON ${schema}.%I TO %I', child, holder);
          END LOOP;
        END LOOP;
      END LOOP;
    END $$;
  REVOKE ALL ON FUNCTION ${schema}.make_ahead(text, bigint) FROM PUBLIC;`;

const onlyWider = `
  CREATE FUNCTION ${schema}.only_wider() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.grp <> OLD.grp OR NEW.low_ms > OLD.low_ms OR NEW.high_ms < OLD.high_ms
        OR (OLD.low_sequence IS NOT NULL AND (NEW.low_sequence IS NULL OR NEW.low_sequence > OLD.low_sequence))
        OR (OLD.high_sequence IS NOT NULL AND (NEW.high_sequence IS NULL OR NEW.high_sequence < OLD.high_sequence)) THEN
        RAISE EXCEPTION 'audit/append-only: what can be found by its time stays so';
      END IF;
      RETURN NEW;
    END $$;`;

/** Moves what was in two plain tables of each log. */
export const partitioned = `${makeAhead}${onlyWider}${logNames.map(tablesOf).join('\n')}`;

/** What the service's role needs of each partition that is there already. */
export const rightsToParts = (role: string): string => `
  DO $$ DECLARE part ${schema}.parts; BEGIN
    FOR part IN SELECT * FROM ${schema}.parts WHERE first < past LOOP
      EXECUTE format('GRANT INSERT ON ${schema}.%I, ${schema}.%I TO %s',
        part.log || '_entries_p' || part.first, part.log || '_rows_p' || part.first, ${sqlText(role)});
    END LOOP;
  END $$;
  GRANT EXECUTE ON FUNCTION ${schema}.make_ahead(text, bigint) TO ${role};`;

function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
