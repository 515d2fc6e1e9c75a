//! Chooses the thresholds on the holdout.

use decision::Policy;
use features::{Costs, Definition, HoldBy, ReviewBy};

use crate::TrainError;
use crate::metrics::{ScoredLabel, count_transactions};

const DAY_SECONDS: f64 = 86_400.0;

/// The policy with the definition's settings. `first` and `confirm` are the looks' probabilities of
/// the holdout's rows.
pub(crate) fn policy(
    definition: &Definition,
    first: &[ScoredLabel],
    confirm: &[ScoredLabel],
) -> Result<Policy, TrainError> {
    let days = definition.training.holdout.as_secs_f64() / DAY_SECONDS;
    let all = count_transactions(first);
    let within = |setting, budget: f64| {
        hold_at(first, budget.floor()).ok_or_else(|| TrainError::Ties {
            setting,
            tied: tied(first).round() as usize,
            of: all.round() as usize,
            budget: budget as usize,
        })
    };
    let hold_at = match definition.hold {
        HoldBy::Share(share) => within("first.hold_share", all * share)?,
        HoldBy::PerDay(holds) => within("first.holds_a_day", holds * days)?,
        // The probability p with p · missed_fraud = (1 − p) · false_hold.
        HoldBy::Cost { false_hold } => false_hold / (false_hold + definition.costs.missed_fraud),
    };
    let review = match definition.review {
        ReviewBy::Cost { review } => review,
        ReviewBy::PerDay(reviews) => {
            let held = first
                .iter()
                .zip(confirm)
                .filter(|(first, _)| first.score >= hold_at);
            review_cost(
                definition.costs,
                held.map(|(_, confirm)| *confirm),
                (reviews * days).floor(),
            )
        }
    };
    let release_below = review / definition.costs.missed_fraud;
    let settings = &definition.policy;
    Ok(Policy {
        hold_at,
        release_below,
        // At the highest possible review cost both thresholds are equal, except for rounding.
        block_at: (1.0 - review / definition.costs.false_block).max(release_below),
        hold_deadline_seconds: settings.hold_deadline.as_secs().unsigned_abs(),
        on_expiry: settings.on_expiry,
        on_missing_evidence: settings.on_missing_evidence,
    })
}

/// The lowest threshold with at most `budget` holds. `None` if more transactions than that share
/// the highest score.
fn hold_at(scored: &[ScoredLabel], budget: f64) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut threshold, mut held) = (None, 0.0);
    for equal in sorted.chunk_by(|a, b| a.score == b.score) {
        held += count_transactions(equal);
        match equal.first() {
            Some(one) if held <= budget => threshold = Some(one.score),
            _ => break,
        }
    }
    threshold
}

/// Number of transactions with the highest score.
fn tied(scored: &[ScoredLabel]) -> f64 {
    let highest = scored.iter().map(|one| one.score).fold(0.0, f64::max);
    let tied = scored.iter().filter(|one| one.score == highest);
    tied.map(|one| one.weight).sum()
}

/// The review cost at which at most `budget` of these holds are reviewed. A review saves the
/// expected cost of the cheaper of the two mistakes, so the holds with the largest saving are
/// reviewed. If holds with equal savings exceed the budget, none of them is reviewed.
fn review_cost(costs: Costs, held: impl Iterator<Item = ScoredLabel>, budget: f64) -> f64 {
    let worth = |p: f64| (p * costs.missed_fraud).min((1.0 - p) * costs.false_block);
    let with_worth = |one: ScoredLabel| ScoredLabel {
        score: worth(one.score),
        ..one
    };
    let mut worths: Vec<ScoredLabel> = held.map(with_worth).collect();
    worths.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut above = costs.break_even_review();
    let mut reviewed = 0.0;
    for equal in worths.chunk_by(|a, b| a.score == b.score) {
        let Some(worth) = equal.first().map(|one| one.score) else {
            break;
        };
        reviewed += count_transactions(equal);
        if reviewed > budget {
            // Between the last hold that is reviewed and the first that is not.
            return f64::midpoint(above, worth);
        }
        above = worth;
    }
    above / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hold_threshold_stays_within_the_budget() {
        let good = |score: f64| ScoredLabel::new(score, false);
        let scored: Vec<ScoredLabel> = (1..=100).map(|i| good(f64::from(i) / 100.0)).collect();
        assert_eq!(hold_at(&scored, 5.0), Some(0.96));
        assert_eq!(hold_at(&scored, 100.0), Some(0.01));
        let ties: Vec<ScoredLabel> = (0..100)
            .map(|i| good(if i < 10 { 0.9 } else { 0.1 }))
            .collect();
        assert_eq!(
            hold_at(&ties, 20.0),
            Some(0.9),
            "the next score would hold all transactions"
        );
        assert_eq!(
            (hold_at(&ties, 9.0), tied(&ties)),
            (None, 10.0),
            "a budget is never exceeded"
        );
        assert_eq!(hold_at(&scored, 0.0), None);
        let weight = 4.0;
        let sampled = scored.iter().map(|one| ScoredLabel { weight, ..*one });
        let sampled: Vec<ScoredLabel> = sampled.collect();
        assert_eq!(hold_at(&sampled, 11.0), Some(0.99), "each stands for four");
    }

    #[test]
    fn the_review_budget_goes_to_the_holds_with_the_most_expensive_mistakes() {
        let costs = Costs {
            missed_fraud: 100.0,
            false_block: 20.0,
        };
        // Worth: 1, 10, 16, 2 and nothing.
        let held = [0.01, 0.1, 0.2, 0.9, 1.0];
        let reviewed = |budget| {
            let scored = held.into_iter().map(|p| ScoredLabel::new(p, false));
            let review = review_cost(costs, scored, f64::from(budget));
            let (release_below, block_at) = (
                review / costs.missed_fraud,
                1.0 - review / costs.false_block,
            );
            held.into_iter()
                .filter(|p| *p >= release_below && *p < block_at)
                .collect::<Vec<_>>()
        };
        assert_eq!(reviewed(0), [0.0; 0]);
        assert_eq!(reviewed(1), [0.2]);
        assert_eq!(reviewed(2), [0.1, 0.2]);
        assert_eq!(reviewed(3), [0.1, 0.2, 0.9]);
        assert_eq!(reviewed(4), [0.01, 0.1, 0.2, 0.9]);
        assert_eq!(
            review_cost(costs, [ScoredLabel::new(0.2, false); 5].into_iter(), 4.0),
            f64::midpoint(100.0 / 6.0, 16.0),
            "equal savings beyond the budget are not reviewed"
        );
        let one = ScoredLabel {
            weight: 5.0,
            ..ScoredLabel::new(0.2, false)
        };
        assert_eq!(
            review_cost(costs, [one].into_iter(), 4.0),
            f64::midpoint(100.0 / 6.0, 16.0),
            "one row that stands for five"
        );
    }
}
