-- Functions of Redshift that PostgreSQL lacks or defines differently. Safe to run again.
-- Functions of timestamptz are STABLE, as PostgreSQL's own are: only then can it inline them.
CREATE SCHEMA IF NOT EXISTS redshift_compat;

CREATE OR REPLACE FUNCTION redshift_compat.getdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION redshift_compat.sysdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT now() AT TIME ZONE 'UTC' $$;

-- The canonical name of a date part, and Redshift's other names for it.
CREATE OR REPLACE FUNCTION redshift_compat.part(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE
  WHEN lower(name) IN ('year', 'years', 'y', 'yr', 'yrs') THEN 'year'
  WHEN lower(name) IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
  WHEN lower(name) IN ('month', 'months', 'mon', 'mons') THEN 'month'
  WHEN lower(name) IN ('week', 'weeks', 'w') THEN 'week'
  WHEN lower(name) IN ('day', 'days', 'd') THEN 'day'
  WHEN lower(name) IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN 'hour'
  WHEN lower(name) IN ('minute', 'minutes', 'm', 'min', 'mins') THEN 'minute'
  WHEN lower(name) IN ('second', 'seconds', 's', 'sec', 'secs') THEN 'second'
  WHEN lower(name) IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec', 'millisecs', 'millisecon') THEN 'millisecond'
  WHEN lower(name) IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsec', 'microsecs', 'microsecond') THEN 'microsecond'
  ELSE name END $$;
CREATE OR REPLACE FUNCTION redshift_compat.span(name text) RETURNS interval LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ BEGIN
  RETURN CASE redshift_compat.part(name)
    WHEN 'year' THEN interval '1 year' WHEN 'quarter' THEN interval '3 months' WHEN 'month' THEN interval '1 month'
    WHEN 'week' THEN interval '7 days' WHEN 'day' THEN interval '1 day' WHEN 'hour' THEN interval '1 hour'
    WHEN 'minute' THEN interval '1 minute' WHEN 'second' THEN interval '1 second'
    WHEN 'millisecond' THEN interval '1 millisecond' WHEN 'microsecond' THEN interval '1 microsecond' END;
END $$;

CREATE OR REPLACE FUNCTION redshift_compat.dateadd(part text, n double precision, at timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at + n * redshift_compat.span(part) $$;
CREATE OR REPLACE FUNCTION redshift_compat.dateadd(part text, n double precision, at date) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at::timestamp + n * redshift_compat.span(part) $$;
CREATE OR REPLACE FUNCTION redshift_compat.dateadd(part text, n double precision, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT at + n * redshift_compat.span(part) $$;

-- The number of boundaries of `part` between two timestamps. Weeks begin on Monday here.
CREATE OR REPLACE FUNCTION redshift_compat.datediff(part text, a timestamp, b timestamp) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ DECLARE unit text := redshift_compat.part(part); BEGIN
  RETURN CASE
    WHEN unit = 'year' THEN extract(year FROM b) - extract(year FROM a)
    WHEN unit = 'quarter' THEN 4 * (extract(year FROM b) - extract(year FROM a)) + extract(quarter FROM b) - extract(quarter FROM a)
    WHEN unit = 'month' THEN 12 * (extract(year FROM b) - extract(year FROM a)) + extract(month FROM b) - extract(month FROM a)
    WHEN unit IN ('week', 'day', 'hour', 'minute', 'second', 'millisecond', 'microsecond') THEN
      round(extract(epoch FROM date_trunc(unit, b) - date_trunc(unit, a)) / extract(epoch FROM redshift_compat.span(unit))) END::bigint;
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.datediff(part text, a timestamptz, b timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.datediff(part, a AT TIME ZONE 'UTC', b AT TIME ZONE 'UTC') $$;

CREATE OR REPLACE FUNCTION redshift_compat.convert_timezone(target text, at timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at AT TIME ZONE 'UTC' AT TIME ZONE target $$;
CREATE OR REPLACE FUNCTION redshift_compat.convert_timezone(target text, at timestamptz) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at AT TIME ZONE target $$;
CREATE OR REPLACE FUNCTION redshift_compat.convert_timezone(source text, target text, at timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at AT TIME ZONE source AT TIME ZONE target $$;
CREATE OR REPLACE FUNCTION redshift_compat.last_day(at timestamp) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (date_trunc('month', at) + interval '1 month' - interval '1 day')::date $$;
CREATE OR REPLACE FUNCTION redshift_compat.add_months(at timestamp, n integer) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT at + n * interval '1 month' $$;

-- JSON as text. A missing key or element is an empty string.
CREATE OR REPLACE FUNCTION redshift_compat.json_extract_path_text(document text, VARIADIC path text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN document IS NULL THEN NULL ELSE coalesce(document::json #>> path, '') END $$;
-- PostgreSQL parses the whole document for each element. So a long document is parsed once, and its elements
-- are kept in settings of the session under the document's hash. Therefore not PARALLEL SAFE.
CREATE OR REPLACE FUNCTION redshift_compat.cut(document text) RETURNS void LANGUAGE plpgsql STABLE
AS $$ DECLARE hash text := octet_length(document) || ' ' || hashtextextended(document, 0); element text; n integer := 0; BEGIN
  IF current_setting('redshift_compat.document', true) IS NOT DISTINCT FROM hash THEN RETURN; END IF;
  PERFORM set_config('redshift_compat.document', '', false);
  FOR element IN SELECT value FROM json_array_elements_text(document::json) LOOP
    PERFORM set_config('redshift_compat.element_' || n, coalesce(element, ''), false);
    n := n + 1;
  END LOOP;
  PERFORM set_config('redshift_compat.length', n::text, false);
  PERFORM set_config('redshift_compat.document', hash, false);
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.json_extract_array_element_text(document text, i integer) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
AS $$ BEGIN
  IF octet_length(document) < 4096 THEN RETURN coalesce(document::json ->> i, ''); END IF;
  PERFORM redshift_compat.cut(document);
  IF i < 0 OR i >= current_setting('redshift_compat.length')::integer THEN RETURN ''; END IF;
  RETURN current_setting('redshift_compat.element_' || i);
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.json_array_length(document text) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT
AS $$ BEGIN
  IF octet_length(document) < 4096 THEN RETURN pg_catalog.json_array_length(document::json); END IF;
  PERFORM redshift_compat.cut(document);
  RETURN current_setting('redshift_compat.length')::integer;
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.is_valid_json(document text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ BEGIN RETURN document::json IS NOT NULL; EXCEPTION WHEN OTHERS THEN RETURN false; END $$;
-- The same with null_if_invalid.
CREATE OR REPLACE FUNCTION redshift_compat.json_extract_path_text_or_null(document text, VARIADIC path text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN redshift_compat.is_valid_json(document) THEN coalesce(document::json #>> path, '') END $$;
CREATE OR REPLACE FUNCTION redshift_compat.json_extract_array_element_text_or_null(document text, i integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN redshift_compat.is_valid_json(document) THEN coalesce(document::json ->> i, '') END $$;
CREATE OR REPLACE FUNCTION redshift_compat.json_array_length_or_null(document text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN redshift_compat.is_valid_json(document) THEN pg_catalog.json_array_length(document::json) END $$;

-- SUPER is jsonb.
CREATE OR REPLACE FUNCTION redshift_compat.json_parse(document text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT document::jsonb $$;
CREATE OR REPLACE FUNCTION redshift_compat.json_serialize(document jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT document::text $$;
CREATE OR REPLACE FUNCTION redshift_compat.get_array_length(document jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT jsonb_array_length(document) $$;

CREATE OR REPLACE FUNCTION redshift_compat.strtol(digits text, base integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ DECLARE value bigint := 0; digit integer; body text := lower(ltrim(digits, '-')); BEGIN
  IF base = 16 THEN body := regexp_replace(body, '^0x', ''); END IF;
  FOR k IN 1..length(body) LOOP
    digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(body, k, 1)) - 1;
    IF digit < 0 OR digit >= base THEN RAISE EXCEPTION 'the input % is not valid in base %', digits, base; END IF;
    value := value * base + digit;
  END LOOP;
  RETURN CASE WHEN left(digits, 1) = '-' THEN -value ELSE value END;
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.charindex(part text, whole text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT strpos(whole, part) $$;
CREATE OR REPLACE FUNCTION redshift_compat.sha2(body text, bits integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE bits WHEN 224 THEN encode(sha224(convert_to(body, 'UTF8')), 'hex') WHEN 384 THEN encode(sha384(convert_to(body, 'UTF8')), 'hex')
  WHEN 512 THEN encode(sha512(convert_to(body, 'UTF8')), 'hex') ELSE encode(sha256(convert_to(body, 'UTF8')), 'hex') END $$;

-- The ids of COPY statements, and the rows that they refused. Both outlive a rollback.
CREATE SEQUENCE IF NOT EXISTS redshift_compat.query_ids;
CREATE TABLE IF NOT EXISTS redshift_compat.sys_load_error_detail (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name character(64), table_id integer, start_time timestamp,
  file_name character(256), line_number bigint, column_name character(127), column_type character(10), column_length character(10),
  position integer, error_code integer, error_message character(512));
CREATE INDEX IF NOT EXISTS sys_load_error_detail_query ON redshift_compat.sys_load_error_detail (query_id);
CREATE OR REPLACE FUNCTION redshift_compat.pg_last_copy_id() RETURNS bigint LANGUAGE sql STABLE
AS $$ SELECT coalesce(nullif(current_setting('redshift_compat.last_copy', true), '')::bigint, -1) $$;

-- EXTRACT has whole parts only: INTEGER, or DOUBLE PRECISION for TIMESTAMPTZ. The millisecond and the microsecond
-- are those of the second.
CREATE OR REPLACE FUNCTION redshift_compat.whole_part(part text, value numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT floor(CASE part WHEN 'millisecond' THEN mod(value, 1000) WHEN 'microsecond' THEN mod(value, 1000000) ELSE value END) $$;
CREATE OR REPLACE FUNCTION redshift_compat.extract_part(field text, at timestamptz) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.whole_part(redshift_compat.part(field), pg_catalog.extract(redshift_compat.part(field), at))::double precision $$;
CREATE OR REPLACE FUNCTION redshift_compat.extract_part(field text, at timestamp) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.whole_part(redshift_compat.part(field), pg_catalog.extract(redshift_compat.part(field), at))::integer $$;
CREATE OR REPLACE FUNCTION redshift_compat.extract_part(field text, at date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.extract_part(field, at::timestamp) $$;
CREATE OR REPLACE FUNCTION redshift_compat.extract_part(field text, at time) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.whole_part(redshift_compat.part(field), pg_catalog.extract(redshift_compat.part(field), at))::integer $$;
CREATE OR REPLACE FUNCTION redshift_compat.extract_part(field text, at interval) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT redshift_compat.whole_part(redshift_compat.part(field), pg_catalog.extract(redshift_compat.part(field), at))::integer $$;

-- AVG of an integer type is a BIGINT. The first two arrays are PostgreSQL's own states: count and sum.
CREATE OR REPLACE FUNCTION redshift_compat.whole_average(state bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT state[2] / nullif(state[1], 0) $$;
CREATE OR REPLACE FUNCTION redshift_compat.add_to_average(state numeric[], value bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT ARRAY[state[1] + 1, state[2] + value] $$;
CREATE OR REPLACE FUNCTION redshift_compat.whole_average(state numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT trunc(state[2] / nullif(state[1], 0))::bigint $$;
CREATE OR REPLACE AGGREGATE redshift_compat.avg(smallint) (sfunc = int2_avg_accum, stype = bigint[], finalfunc = redshift_compat.whole_average,
  combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe);
CREATE OR REPLACE AGGREGATE redshift_compat.avg(integer) (sfunc = int4_avg_accum, stype = bigint[], finalfunc = redshift_compat.whole_average,
  combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe);
CREATE OR REPLACE AGGREGATE redshift_compat.avg(bigint) (sfunc = redshift_compat.add_to_average, stype = numeric[],
  finalfunc = redshift_compat.whole_average, initcond = '{0,0}', parallel = safe);
CREATE OR REPLACE AGGREGATE redshift_compat.avg(double precision) (sfunc = float8_accum, stype = double precision[], finalfunc = float8_avg,
  combinefunc = float8_combine, initcond = '{0,0,0}', parallel = safe);
CREATE OR REPLACE AGGREGATE redshift_compat.avg(numeric) (sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg,
  combinefunc = numeric_avg_combine, serialfunc = numeric_avg_serialize, deserialfunc = numeric_avg_deserialize, parallel = safe);

-- VARCHAR(n) is n bytes. A cast cuts a longer text, and a store refuses it unless only blanks are too many.
-- `modifier` is PostgreSQL's: n + 4.
CREATE OR REPLACE FUNCTION redshift_compat.cut_to_bytes(value varchar, modifier integer, is_cast boolean) RETURNS varchar LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$ DECLARE size integer := modifier - 4; bytes bytea; BEGIN
  IF NOT is_cast AND octet_length(rtrim(value, ' ')) > size THEN
    RAISE string_data_right_truncation USING MESSAGE = format('value too long for type character varying(%s)', size);
  END IF;
  bytes := convert_to(value, 'UTF8');
  -- A byte 10xxxxxx continues a character.
  WHILE size > 0 AND get_byte(bytes, size) & 192 = 128 LOOP size := size - 1; END LOOP;
  RETURN convert_from(substring(bytes FROM 1 FOR size), 'UTF8');
END $$;
CREATE OR REPLACE FUNCTION redshift_compat.fit_varchar(value varchar, modifier integer, is_cast boolean) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT CASE WHEN octet_length(value) <= modifier - 4 THEN value ELSE redshift_compat.cut_to_bytes(value, modifier, is_cast) END $$;
UPDATE pg_catalog.pg_cast SET castfunc = 'redshift_compat.fit_varchar(varchar, integer, boolean)'::regprocedure
WHERE castsource = 'varchar'::regtype AND casttarget = 'varchar'::regtype
  AND castfunc <> 'redshift_compat.fit_varchar(varchar, integer, boolean)'::regprocedure;

-- Comparisons ignore trailing blanks: those of text become those of PostgreSQL's CHAR. PostgreSQL has one default
-- comparison for GROUP BY, DISTINCT, joins and indexes of a type, so this changes the catalog of the database.
UPDATE pg_catalog.pg_operator SET oprcode = pairs.padded::regproc
FROM (VALUES ('texteq', 'bpchareq'), ('textne', 'bpcharne'), ('text_lt', 'bpcharlt'), ('text_le', 'bpcharle'),
  ('text_gt', 'bpchargt'), ('text_ge', 'bpcharge')) AS pairs(exact, padded)
WHERE oprcode = pairs.exact::regproc;
UPDATE pg_catalog.pg_amproc SET amproc = pairs.padded::regproc
FROM (VALUES ('bttextcmp', 'bpcharcmp'), ('bttextsortsupport', 'bpchar_sortsupport'), ('hashtext', 'hashbpchar'),
  ('hashtextextended', 'hashbpcharextended')) AS pairs(exact, padded), pg_catalog.pg_opfamily, pg_catalog.pg_am
WHERE amproc = pairs.exact::regproc AND amproclefttype = 'text'::regtype AND amprocrighttype = 'text'::regtype
  AND amprocfamily = pg_opfamily.oid AND opfname = 'text_ops' AND opfmethod = pg_am.oid AND amname IN ('btree', 'hash');
-- Equal texts can differ, so an index must keep each.
DELETE FROM pg_catalog.pg_amproc WHERE amproc = 'btvarstrequalimage'::regproc AND amproclefttype = 'text'::regtype;

-- Distribution and sort keys are kept as comments of their columns, which LIKE copies and CREATE TABLE AS does not.
-- `note_absence` runs before CREATE TABLE IF NOT EXISTS, because a table that exists keeps its keys.
CREATE OR REPLACE PROCEDURE redshift_compat.note_absence(name text) LANGUAGE plpgsql
AS $$ BEGIN PERFORM set_config('redshift_compat.is_absent', (to_regclass(name) IS NULL)::text, false); END $$;
CREATE OR REPLACE PROCEDURE redshift_compat.keep_keys(name text, distribution text, sort text[], if_absent boolean) LANGUAGE plpgsql
AS $$ DECLARE key text; kept text; BEGIN
  IF if_absent AND current_setting('redshift_compat.is_absent', true) = 'false' THEN RETURN; END IF;
  FOR key IN SELECT DISTINCT k FROM unnest(sort || distribution) AS keys(k) WHERE k IS NOT NULL LOOP
    kept := concat_ws(' ', CASE WHEN key = distribution THEN 'distkey' END, 'sortkey ' || array_position(sort, key));
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', name, key, kept);
  END LOOP;
END $$;
CREATE OR REPLACE VIEW redshift_compat.pg_table_def AS
SELECT nspname AS schemaname, relname AS tablename, attname AS "column", format_type(atttypid, atttypmod) AS "type", 'none'::text AS encoding,
  coalesce(col_description(attrelid, attnum) ~ 'distkey', false) AS distkey,
  coalesce(substring(col_description(attrelid, attnum) FROM 'sortkey ([0-9]+)')::integer, 0) AS sortkey, attnotnull AS "notnull"
FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class ON pg_class.oid = attrelid JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped AND pg_table_is_visible(attrelid);
