//! A submission, checked before a statement is taken.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::api::Submission;
use crate::fault::Fault;
use crate::statements::{Record, Status, Target, now};
use crate::translate::{self, Step};

const MAX_SQLS: usize = 40;
const MAX_SQL_BYTES: usize = 100_000;

/// The record of a statement, or the error with which the real service refuses the request.
pub(crate) fn checked(request: Submission, batch: bool) -> Result<Record, Fault> {
    let sqls = if batch {
        request.sqls
    } else {
        request.sql.into_iter().collect()
    };
    if sqls.is_empty() || sqls.len() > MAX_SQLS {
        return Err(Fault::invalid("Expected 1 to 40 SQL statements."));
    }
    if sqls
        .iter()
        .any(|sql| sql.trim().is_empty() || sql.len() > MAX_SQL_BYTES)
    {
        return Err(Fault::invalid(
            "A SQL statement must have 1 to 100,000 bytes.",
        ));
    }
    let Some(database) = request.database else {
        return Err(Fault::invalid("Database is missing."));
    };
    if request.cluster_identifier.is_some() == request.workgroup_name.is_some() {
        return Err(Fault::invalid(
            "Expected one of ClusterIdentifier and WorkgroupName.",
        ));
    }
    if request
        .client_token
        .as_ref()
        .is_some_and(|token| token.is_empty() || token.len() > 64)
    {
        return Err(Fault::invalid("ClientToken must have 1 to 64 characters."));
    }
    let auto_commit = match request.execution_mode.as_deref() {
        None | Some("TRANSACTION") => false,
        Some("AUTO_COMMIT") => true,
        Some(_) => {
            return Err(Fault::invalid(
                "ExecutionMode must be TRANSACTION or AUTO_COMMIT.",
            ));
        }
    };
    let parameters: Vec<(String, String)> = request
        .parameters
        .unwrap_or_default()
        .into_iter()
        .map(|p| (p.name, p.value))
        .collect();
    let mut names = HashSet::new();
    if let Some((twice, _)) = parameters.iter().find(|(name, _)| !names.insert(name)) {
        return Err(Fault::invalid(format!("Parameter {twice} is given twice.")));
    }
    // SQL that can't be translated fails later, as a statement. Its parameters are not known then.
    let steps: Option<Vec<Step>> = sqls
        .iter()
        .map(|sql| translate::steps(sql).ok())
        .collect::<Option<Vec<_>>>()
        .map(|s| s.into_iter().flatten().collect());
    if let Some(steps) = steps {
        let used: Vec<&String> = steps
            .iter()
            .filter_map(|step| {
                if let Step::Sql { parameters, .. } = step {
                    Some(parameters)
                } else {
                    None
                }
            })
            .flatten()
            .collect();
        if let Some((unused, _)) = parameters.iter().find(|(name, _)| !used.contains(&name)) {
            return Err(Fault::invalid(format!(
                "Parameter {unused} is not used in any SQL statement."
            )));
        }
    }
    Ok(Record {
        id: Uuid::new_v4().to_string(),
        name: request.statement_name,
        batch,
        auto_commit,
        with_event: request.with_event,
        csv: request
            .result_format
            .as_deref()
            .is_some_and(|format| format.eq_ignore_ascii_case("csv")),
        parameters,
        target: Target {
            cluster: request.cluster_identifier,
            workgroup: request.workgroup_name,
            database,
            db_user: request.db_user,
            secret: request.secret_arn,
        },
        status: Status::Submitted,
        error: None,
        subs: sqls.into_iter().map(Record::sub).collect(),
        created: now(),
        updated: now(),
        duration: Duration::ZERO,
    })
}
