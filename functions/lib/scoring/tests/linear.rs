//! The linear model: what it adds up to, and files that were tampered with.

use proptest::prelude::*;
use scoring::{Linear, LinearError, Matrix, Model, ModelError, Scaling};

fn columns() -> impl Strategy<Value = Vec<Scaling>> {
    let column = (-50.0..50.0f64, 0.01..20.0f64, -3.0..3.0f64);
    prop::collection::vec(
        column.prop_map(|(mean, sd, coefficient)| Scaling {
            mean,
            sd,
            coefficient,
        }),
        1..9,
    )
}

proptest! {
    #[test]
    fn a_column_adds_its_coefficient_per_deviation_and_nothing_if_missing(
        columns in columns(), bias in -4.0..4.0f64, seed in prop::collection::vec((-90.0..90.0f64, prop::bool::weighted(0.2)), 160)
    ) {
        let model = Model::from(Linear::new(bias, columns.clone()).unwrap());
        prop_assert_eq!(&Model::from_bytes(&model.to_bytes()).unwrap(), &model);
        let mut rows = Matrix::new(columns.len());
        seed.iter().for_each(|&(value, missing)| rows.push(if missing { f64::NAN } else { value }));
        let mut scores = vec![7.0];
        model.score(&rows, &mut scores);
        prop_assert_eq!(scores.len(), rows.rows());
        for (row, score) in scores.iter().enumerate() {
            let drawn = &seed[row * columns.len()..];
            let added: Vec<f64> = columns.iter().zip(drawn).map(|(column, &(value, missing))| {
                let value = if missing { column.mean } else { f64::from(value as f32) };
                column.coefficient * (value - column.mean) / column.sd
            }).collect();
            let log_odds = bias + added.iter().sum::<f64>();
            prop_assert!((score - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-9);
            prop_assert_eq!(model.score_one(&rows, row), Some(*score));
            let said = model.contributions(&rows, row);
            prop_assert!(said.iter().zip(&added).all(|(said, added)| (said - added).abs() < 1e-9), "{:?} {:?}", said, added);
            prop_assert!((model.expected() + said.iter().sum::<f64>() - log_odds).abs() < 1e-9);
        }
    }

    /// A file with any byte changed is refused, or is a model that gives probabilities.
    #[test]
    fn a_changed_file_is_refused_or_gives_probabilities(columns in columns(), at: prop::sample::Index, byte: u8) {
        let mut bytes = Linear::new(0.0, columns).unwrap().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(model) = Model::from_bytes(&bytes) {
            let mut rows = Matrix::new(model.features());
            for value in [1.0, -1e38, 1e38, f64::NAN, 0.0] {
                (0..model.features()).for_each(|_| rows.push(value));
            }
            let mut scores = Vec::new();
            model.score(&rows, &mut scores);
            prop_assert!(scores.len() == 5 && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", scores);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Model::from_bytes(&bytes), Err(ModelError::Kind));
        prop_assert!(Model::from_bytes(&[b"SLLINEAR", bytes.as_slice()].concat()).is_err());
    }
}

#[test]
fn numbers_without_a_finite_sum_are_refused_by_column() {
    let good = Scaling {
        mean: 1.0,
        sd: 2.0,
        coefficient: 3.0,
    };
    let cases = [
        (Scaling { sd: 0.0, ..good }, "deviation"),
        (
            Scaling {
                sd: f64::NAN,
                ..good
            },
            "deviation",
        ),
        (
            Scaling {
                sd: f64::INFINITY,
                ..good
            },
            "deviation",
        ),
        (
            Scaling {
                mean: 0.0,
                sd: 1e-300,
                coefficient: 0.0,
            },
            "too small",
        ),
        (
            Scaling {
                sd: 1e-50,
                coefficient: 1e90,
                ..good
            },
            "too large",
        ),
        (
            Scaling {
                mean: f64::NAN,
                ..good
            },
            "too large",
        ),
        (
            Scaling {
                coefficient: f64::INFINITY,
                ..good
            },
            "too large",
        ),
    ];
    for (column, why) in cases {
        let error = Linear::new(0.0, vec![good, column]).unwrap_err();
        assert!(
            matches!(error, LinearError::Column { column: 1, .. })
                && error.to_string().contains(why),
            "{error}"
        );
    }
    assert!(Linear::new(f64::NAN, vec![good]).is_err());
    assert!(Linear::new(0.0, Vec::new()).is_err());
}

#[test]
fn rows_of_another_width_have_no_score() {
    let model = Linear::new(
        0.0,
        vec![
            Scaling {
                mean: 0.0,
                sd: 1.0,
                coefficient: 1.0
            };
            2
        ],
    )
    .unwrap();
    let mut rows = Matrix::new(3);
    (0..3).for_each(|_| rows.push(1.0));
    let mut scores = vec![1.0];
    model.score(&rows, &mut scores);
    assert_eq!((scores.len(), model.score_one(&rows, 0)), (0, None));
}
