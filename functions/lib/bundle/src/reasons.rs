//! Why a model gave a score: the features that contributed most.

use decision::Reason;
use features::{Definition, FeatureSource, Look};
use scoring::{Matrix, Model};

const MAX_REASONS: usize = 3;

/// At most [`MAX_REASONS`], sorted by the absolute contribution, the largest first.
pub(crate) fn reasons(
    definition: &Definition,
    look: &Look,
    model: &Model,
    source: &impl FeatureSource,
) -> Vec<Reason> {
    let contributions = model.contributions(&matrix_of_row(definition, look, source), 0);
    let mut reasons = Vec::new();
    for (&index, contribution) in look.features.iter().zip(contributions) {
        if let Some(feature) = definition.feature(index)
            && contribution != 0.0
        {
            reasons.push(Reason {
                feature: feature.name.clone(),
                value: definition.value(index, source),
                contribution,
            });
        }
    }
    reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    reasons.truncate(MAX_REASONS);
    reasons
}

/// The look's features of one transaction, as a matrix of one row.
pub(crate) fn matrix_of_row(
    definition: &Definition,
    look: &Look,
    source: &impl FeatureSource,
) -> Matrix {
    let mut matrix = Matrix::new(look.features.len());
    matrix.extend(definition.row(look, source));
    matrix
}
