//! The table `sys_load_error_detail`: the rows that COPY refused.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::copy::RefusedRow;
use crate::sql_error::message;

const BEGIN: &str = "WITH next AS (SELECT nextval('redshift_compat.query_ids') AS id) \
    SELECT id, pg_current_xact_id()::text::bigint, pg_backend_pid(), current_database()::text, \
    coalesce(to_regclass($1)::oid::bigint, 0), statement_timestamp()::text, \
    set_config('redshift_compat.last_copy', id::text, false) FROM next";

const RECORD: &str = "INSERT INTO redshift_compat.sys_load_error_detail \
    SELECT 100, $1, $2, $3, $4, $5::bigint::integer, $6::text::timestamptz AT TIME ZONE 'UTC', \
    file::character(256), line, name::character(127), kind::character(10), \
    length::character(10), place, code, why::character(512) \
    FROM unnest($7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], \
    $12::integer[], $13::integer[], $14::text[]) \
    AS refused(file, line, name, kind, length, place, code, why)";

/// A COPY that has begun, as its rows in the table repeat it.
#[derive(Debug)]
pub(crate) struct CopyQuery {
    id: i64,
    transaction: i64,
    session: i32,
    database: String,
    table: i64,
    started: String,
}

impl CopyQuery {
    /// Gives a COPY its query id, which `pg_last_copy_id()` returns from now on.
    pub(crate) async fn begin(client: &Client, table: &str) -> Result<Self, String> {
        let row = client.query_one(BEGIN, &[&table]).await;
        let row = row.map_err(|error| message(&error))?;
        Ok(Self {
            id: row.get(0),
            transaction: row.get(1),
            session: row.get(2),
            database: row.get(3),
            table: row.get(4),
            started: row.get(5),
        })
    }

    /// Writes refused rows. `client` is another session than the one of the COPY, so that they
    /// stay when its transaction fails.
    pub(crate) async fn record(
        &self,
        client: &Client,
        refused: &[RefusedRow],
    ) -> Result<(), String> {
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let files: Vec<&str> = refused.iter().map(|row| row.file.as_str()).collect();
        let lines: Vec<i64> = refused.iter().map(|row| row.line as i64).collect();
        let columns = refused.iter().map(|row| &row.column);
        let names: Vec<&str> = columns.clone().map(|column| column.name.as_str()).collect();
        let kinds: Vec<&str> = columns.clone().map(|column| column.kind.as_str()).collect();
        let lengths: Vec<&str> = columns.map(|column| column.length.as_str()).collect();
        let places: Vec<i32> = refused.iter().map(|row| number(row.position)).collect();
        let codes: Vec<i32> = refused.iter().map(|row| row.code).collect();
        let texts: Vec<&str> = refused.iter().map(|row| row.message.as_str()).collect();
        let values: [&(dyn ToSql + Sync); 14] = [
            &self.id,
            &self.transaction,
            &self.session,
            &self.database,
            &self.table,
            &self.started,
            &files,
            &lines,
            &names,
            &kinds,
            &lengths,
            &places,
            &codes,
            &texts,
        ];
        let written = client.execute(RECORD, &values).await;
        written.map_err(|error| message(&error))?;
        Ok(())
    }
}
