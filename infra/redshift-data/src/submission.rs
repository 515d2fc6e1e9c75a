//! Checks ExecuteStatement and BatchExecuteStatement.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::api::Submission;
use crate::service_error::ServiceError;
use crate::statements::{ResultFormat, StatementRecord, Status, Target, now};
use crate::steps::{Step, steps};

const MAX_SQLS: usize = 40;
const MAX_SQL_BYTES: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubmissionKind {
    /// ExecuteStatement
    Single,
    /// BatchExecuteStatement
    Batch,
}

/// Checks a submission as the real service does before it accepts one.
pub(crate) fn check(
    request: Submission,
    kind: SubmissionKind,
) -> Result<StatementRecord, ServiceError> {
    let sqls = match kind {
        SubmissionKind::Batch => request.sqls,
        SubmissionKind::Single => request.sql.into_iter().collect(),
    };
    if sqls.is_empty() || sqls.len() > MAX_SQLS {
        return Err(ServiceError::invalid("Expected 1 to 40 SQL statements."));
    }
    if sqls
        .iter()
        .any(|sql| sql.trim().is_empty() || sql.len() > MAX_SQL_BYTES)
    {
        return Err(ServiceError::invalid(
            "A SQL statement must have 1 to 100,000 bytes.",
        ));
    }
    let Some(database) = request.database else {
        return Err(ServiceError::invalid("Database is missing."));
    };
    if request.cluster_identifier.is_some() == request.workgroup_name.is_some() {
        return Err(ServiceError::invalid(
            "Expected one of ClusterIdentifier and WorkgroupName.",
        ));
    }
    if request
        .client_token
        .as_ref()
        .is_some_and(|token| token.is_empty() || token.len() > 64)
    {
        return Err(ServiceError::invalid(
            "ClientToken must have 1 to 64 characters.",
        ));
    }
    let auto_commit = match request.execution_mode.as_deref() {
        None | Some("TRANSACTION") => false,
        Some("AUTO_COMMIT") => true,
        Some(_) => {
            return Err(ServiceError::invalid(
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
        return Err(ServiceError::invalid(format!(
            "Parameter {twice} is given twice."
        )));
    }
    let used = used_parameters(&sqls);
    let is_unused = |name: &String| used.as_ref().is_some_and(|used| !used.contains(name));
    if let Some((unused, _)) = parameters.iter().find(|(name, _)| is_unused(name)) {
        return Err(ServiceError::invalid(format!(
            "Parameter {unused} is not used in any SQL statement."
        )));
    }
    Ok(StatementRecord {
        id: Uuid::new_v4().to_string(),
        name: request.statement_name,
        batch: kind == SubmissionKind::Batch,
        auto_commit,
        with_event: request.with_event,
        format: result_format(request.result_format.as_deref()),
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
        subs: sqls.into_iter().map(StatementRecord::sub).collect(),
        created: now(),
        updated: now(),
        duration: Duration::ZERO,
    })
}

fn result_format(name: Option<&str>) -> ResultFormat {
    match name {
        Some(name) if name.eq_ignore_ascii_case("csv") => ResultFormat::Csv,
        _ => ResultFormat::Json,
    }
}

/// The parameters that the statements use. `None` if one of them cannot be translated: the real
/// service accepts it, and it fails later.
fn used_parameters(sqls: &[String]) -> Option<HashSet<String>> {
    let mut used = HashSet::new();
    for sql in sqls {
        for step in steps(sql).ok()? {
            if let Step::Sql(sql) = step {
                used.extend(sql.parameters);
            }
        }
    }
    Some(used)
}
