use jiff::Timestamp;

use super::{literal, profiles, training_set};
use crate::{Definition, TrainingPeriod};

/// Writes the rows of [`training_set`] to objects whose keys begin with `url`, as gzipped CSV. Each
/// object has a header and at most about 32 MB: the reader has one of them in memory.
pub fn training_export(
    definition: &Definition,
    period: &TrainingPeriod,
    url: &str,
    iam_role: &str,
) -> String {
    unload(&training_set(definition, period), url, iam_role)
}

/// Writes the rows of [`profiles`], as [`training_export`] does.
pub fn profiles_export(
    definition: &Definition,
    entity: usize,
    cut_off: Timestamp,
    url: &str,
    iam_role: &str,
) -> Option<String> {
    let query = profiles(definition, entity, cut_off)?;
    Some(unload(&query, url, iam_role))
}

fn unload(query: &str, url: &str, iam_role: &str) -> String {
    format!(
        "UNLOAD ({})
TO {}
IAM_ROLE {}
FORMAT CSV HEADER GZIP PARALLEL ON MAXFILESIZE 32 MB ALLOWOVERWRITE",
        literal::text(query),
        literal::text(url),
        literal::iam_role(iam_role)
    )
}
