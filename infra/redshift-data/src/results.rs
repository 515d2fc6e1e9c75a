//! Result rows in the format of the Data API.

use serde_json::{Map, Value, json};
use tokio_postgres::types::Type;

use crate::statements::{Column, SubStatement};

/// The Redshift name of a PostgreSQL type. It determines the format of the values.
pub(crate) fn type_name(sql_type: &Type) -> &'static str {
    match *sql_type {
        Type::BOOL => "bool",
        Type::INT2 => "int2",
        Type::INT4 | Type::OID => "int4",
        Type::INT8 => "int8",
        Type::FLOAT4 => "float4",
        Type::FLOAT8 => "float8",
        Type::NUMERIC => "numeric",
        Type::DATE => "date",
        Type::TIMESTAMP => "timestamp",
        Type::TIMESTAMPTZ => "timestamptz",
        Type::JSON | Type::JSONB => "super",
        Type::BPCHAR => "bpchar",
        _ => "varchar",
    }
}

/// A value of a row. Decimals, dates and timestamps are strings.
fn field(column: &Column, text: Option<&String>) -> Value {
    let Some(text) = text else {
        return json!({ "isNull": true });
    };
    let parsed = match column.type_name.as_str() {
        "bool" => Some(json!({ "booleanValue": text == "true" || text == "t" })),
        "int2" | "int4" | "int8" => text
            .parse::<i64>()
            .ok()
            .map(|number| json!({ "longValue": number })),
        "float4" | "float8" => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| json!({ "doubleValue": number })),
        _ => None,
    };
    parsed.unwrap_or_else(|| json!({ "stringValue": text }))
}

/// The answer of GetStatementResult: a page that starts at row `from`.
pub(crate) fn page(sub: &SubStatement, from: usize, page_rows: usize) -> Value {
    let rows: Vec<Value> = sub
        .rows
        .iter()
        .skip(from)
        .take(page_rows)
        .map(|row| {
            sub.columns
                .iter()
                .zip(row)
                .map(|(column, text)| field(column, text.as_ref()))
                .collect()
        })
        .collect();
    finish(sub, from, rows.len(), json!({ "Records": rows }))
}

/// The answer of GetStatementResultV2: a page as CSV. The first page has a header line.
pub(crate) fn csv_page(sub: &SubStatement, from: usize, page_rows: usize) -> Value {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut lines = Vec::new();
    if from == 0 {
        lines.push(
            sub.columns
                .iter()
                .map(|column| quoted(&column.name))
                .collect::<Vec<_>>()
                .join(","),
        );
    }
    let page = sub.rows.iter().skip(from).take(page_rows);
    lines.extend(page.map(|row| {
        let fields = row
            .iter()
            .map(|text| text.as_deref().map(quoted).unwrap_or_default());
        fields.collect::<Vec<_>>().join(",")
    }));
    let rows = sub.rows.len().saturating_sub(from).min(page_rows);
    let text = lines.join("\r\n") + "\r\n";
    finish(
        sub,
        from,
        rows,
        json!({ "Records": [{ "CSVRecords": text }], "ResultFormat": "csv" }),
    )
}

fn is_signed(type_name: &str) -> bool {
    type_name.starts_with("int") || type_name.starts_with("float")
}

/// Adds the columns, the number of rows and the token of the next page.
fn finish(sub: &SubStatement, from: usize, rows: usize, mut answer: Value) -> Value {
    let metadata: Vec<Value> = sub
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "label": column.name,
                "typeName": column.type_name,
                "nullable": 1,
                "isCaseSensitive": column.type_name == "varchar",
                "isCurrency": false,
                "isSigned": is_signed(&column.type_name),
                "precision": 0,
                "scale": 0,
                "length": 0,
                "schemaName": "",
                "tableName": "",
            })
        })
        .collect();
    let more = Map::from_iter([
        ("ColumnMetadata".to_owned(), json!(metadata)),
        ("TotalNumRows".to_owned(), json!(sub.rows.len())),
    ]);
    if let Some(answer) = answer.as_object_mut() {
        answer.extend(more);
        if from + rows < sub.rows.len() {
            answer.insert("NextToken".to_owned(), json!((from + rows).to_string()));
        }
    }
    answer
}
