//! The Fraud Detection Handbook's standard split (chapter 3): train on 2018-07-25 to 31, wait seven
//! days for labels, test on 2018-08-08 to 14.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use bundle::{Bundle, Scratch};
use decision::{Batch, Hold, Origin};
use features::{Definition, TrainingPeriod};
use jiff::{SignedDuration, Timestamp};
use look::input::{self, Row};
use serde_json::{Value, json};
use train::metrics::{ScoredLabel, ranking};
use train::{ImportedModels, TrainingSet};

const DEFINITION: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const TEST: &str = "2018-08-08T00:00:00Z";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const TEST_DAYS: i32 = 7;
/// Cards that investigators can check per day.
const TOP: usize = 100;

/// One test transaction and the looks' scores.
struct Scored<'a> {
    row: &'a Row,
    customer: String,
    day: i32,
    first: f64,
    confirm: f64,
    held: bool,
    kept: bool,
}

pub(crate) fn measure(path: &Path) -> Value {
    let rows = input::read(path, None).unwrap();
    let test: Timestamp = TEST.parse().unwrap();
    // Each change replaces its first text by its second one.
    let by = |span: u32, changes: &[(&str, &str)]| {
        let span_now = format!("span = \"{span}d\"");
        let changes = [("span = \"21d\"", span_now.as_str())]
            .into_iter()
            .chain(changes.iter().copied());
        let text = changes.fold(DEFINITION.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        of_definition(&rows, test, span, &text)
    };
    json!({
        "standard_split": by(7, &[]),
        "standard_split_all_good_transactions": by(7, &[("negatives = 0.3", "negatives = 1.0"), ("0.05\nmin_leaf = 20", "0.05\nmin_leaf = 50")]),
        "as_shipped_21_days": by(21, &[]),
        "without_known_frauds": by(21, &without_known_frauds()),
    })
}

/// Leaves the measures of all known frauds out of both looks.
fn without_known_frauds() -> [(&'static str, &'static str); 4] {
    [
        ("  \"customer_frauds\",\n", ""),
        ("  \"customer_last_fraud_age\",\n", ""),
        ("  \"terminal_frauds\",\n", ""),
        ("  \"terminal_last_fraud_age\",\n", ""),
    ]
}

fn of_definition(rows: &[Row], test: Timestamp, span: u32, text: &str) -> Value {
    let definition = Definition::parse(text).unwrap();
    let past = input::past(&definition, rows).unwrap();
    let to = test - DAY * 7;
    let period = TrainingPeriod {
        from: to - DAY * span as i32,
        to,
        as_of: test,
    };
    let began = std::time::Instant::now();
    let set = TrainingSet::of_history(&definition, &past, &period);
    let set_seconds = began.elapsed().as_secs_f64();
    let began = std::time::Instant::now();
    let profiles = past.profiles(&definition, test).unwrap();
    let profile_seconds = began.elapsed().as_secs_f64();
    let began = std::time::Instant::now();
    let trained = train::train(
        text,
        &set,
        Some(&profiles),
        ImportedModels::default(),
        |_| {},
    )
    .unwrap();
    let train_seconds = began.elapsed().as_secs_f64();

    // The evidence that the warehouse would return: the second look's windows at each transaction.
    let test_period = TrainingPeriod {
        from: test,
        to: test + DAY * TEST_DAYS,
        as_of: test,
    };
    let evidence = TrainingSet::of_whole_history(&definition, &past, &test_period);
    let tested: Vec<&Row> = rows
        .iter()
        .filter(|row| row.occurred_at >= test && row.occurred_at < test + DAY * TEST_DAYS)
        .collect();
    let mut scored = Vec::with_capacity(tested.len());
    let cut_offs = definition.cut_offs.unwrap();
    let cut_off = |row: &Row| cut_offs.of(row.occurred_at, row.occurred_at);
    let mut first_place = 0;
    for served in tested.chunk_by(|one, other| cut_off(one) == cut_off(other)) {
        let profiles = past.profiles(&definition, cut_off(served[0])).unwrap();
        let bundle =
            Bundle::open(&bundle::replace_profiles(trained.files.clone(), &profiles).unwrap())
                .unwrap();
        let mut batch = Batch::with_capacity(bundle.schema(), served.len());
        for (row, place) in served.iter().zip(0..) {
            batch
                .read(
                    row.json.as_bytes(),
                    Origin {
                        record: place,
                        item: 0,
                    },
                    Timestamp::MAX,
                )
                .unwrap();
        }
        let mut scratch = Scratch::default();
        let first = bundle.first_scores(&batch, &mut scratch);
        for (place, row) in served.iter().enumerate() {
            let day = (row.occurred_at.duration_since(test).as_hours() / 24) as i32;
            let hold = hold(&batch, place, first.scores[place], bundle.schema());
            let row_evidence = evidence.evidence(first_place + place);
            let confirm = bundle.confirm(&hold, &row_evidence).score;
            let policy = bundle.policy();
            scored.push(Scored {
                row,
                customer: hold.entities["customer_id"].clone(),
                day,
                first: first.scores[place],
                confirm,
                held: first.scores[place] >= policy.hold_at,
                kept: confirm >= policy.release_below,
            });
        }
        first_place += served.len();
    }
    let scored = without_known(rows, scored, test);
    let figures = |score: fn(&Scored<'_>) -> f64| {
        let labelled: Vec<ScoredLabel> = scored
            .iter()
            .map(|s| ScoredLabel::new(score(s), s.row.fraud.unwrap()))
            .collect();
        let ranked = ranking(&labelled).unwrap();
        json!({ "auc": ranked.auc, "average_precision": ranked.average_precision, "card_precision_at_100": card_precision(&scored, score) })
    };
    let share = |fraud: bool, kept: bool| {
        let held: Vec<&Scored<'_>> = scored
            .iter()
            .filter(|s| s.held && s.row.fraud == Some(fraud))
            .collect();
        (
            held.iter().filter(|s| s.kept == kept).count() as f64 / held.len() as f64,
            held.len(),
        )
    };
    let ((kept, true_holds), (released, false_holds)) = (share(true, true), share(false, false));
    json!({
        "transactions": scored.len(), "frauds": scored.iter().filter(|s| s.row.fraud == Some(true)).count(),
        "first": figures(|s| s.first), "confirm": figures(|s| s.confirm),
        "true_holds": true_holds, "true_holds_kept": kept, "false_holds": false_holds, "false_holds_released": released,
        "seconds": { "set": set_seconds, "profiles": profile_seconds, "train": train_seconds },
        "report": trained.report,
    })
}

fn hold(batch: &Batch<'_>, row: usize, score: f64, schema: &decision::Schema) -> Hold {
    let entities: BTreeMap<String, String> = schema
        .entities
        .iter()
        .enumerate()
        .map(|(i, name)| (name.clone(), batch.entity(row, i).to_owned()))
        .collect();
    Hold {
        decision_id: String::new(),
        transaction_id: batch.transaction_id(row).into(),
        identity: batch.identity(row),
        arrived_at: batch.occurred_at(row),
        occurred_at: batch.occurred_at(row),
        amount: batch.amount(row),
        entities,
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        profile: BTreeMap::new(),
        score,
        reasons: Vec::new(),
        bundle_version: String::new(),
        decided_at: batch.occurred_at(row),
        deadline: batch.occurred_at(row),
    }
}

/// Removes from each test day the customers that are known to be defrauded: by the frauds of the
/// standard split's training days, and by later ones up to eight days before that day.
fn without_known<'a>(rows: &[Row], scored: Vec<Scored<'a>>, test: Timestamp) -> Vec<Scored<'a>> {
    let (from, to) = (test - DAY * 14, test - DAY * 7);
    let frauds: Vec<(Timestamp, String)> = rows
        .iter()
        .filter(|row| row.fraud == Some(true) && row.occurred_at >= from)
        .map(|row| (row.occurred_at, row.partition_key.clone()))
        .collect();
    let known: Vec<HashSet<&str>> = (0..TEST_DAYS)
        .map(|day| {
            let until = to.max(test + DAY * (day - 7));
            frauds
                .iter()
                .filter(|(time, _)| *time < until)
                .map(|(_, customer)| customer.as_str())
                .collect()
        })
        .collect();
    scored
        .into_iter()
        .filter(|s| !known[s.day as usize].contains(s.customer.as_str()))
        .collect()
}

/// Card precision at 100: the share of defrauded cards among the hundred with the highest scores of
/// a day, averaged over the days. A detected card is removed from later days.
fn card_precision(scored: &[Scored<'_>], score: fn(&Scored<'_>) -> f64) -> f64 {
    let mut found: HashSet<&str> = HashSet::new();
    let mut sum = 0.0;
    for day in 0..TEST_DAYS {
        let mut cards: BTreeMap<&str, ScoredLabel> = BTreeMap::new();
        for s in scored
            .iter()
            .filter(|s| s.day == day && !found.contains(s.customer.as_str()))
        {
            let none = ScoredLabel::new(f64::NEG_INFINITY, false);
            let card = cards.entry(&s.customer).or_insert(none);
            card.score = card.score.max(score(s));
            card.is_fraud |= s.row.fraud == Some(true);
        }
        let mut cards: Vec<(&str, ScoredLabel)> = cards.into_iter().collect();
        cards.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        cards.truncate(TOP);
        let hits: Vec<&str> = cards
            .iter()
            .filter(|(_, best)| best.is_fraud)
            .map(|(card, _)| *card)
            .collect();
        sum += hits.len() as f64 / TOP as f64;
        found.extend(hits);
    }
    sum / f64::from(TEST_DAYS)
}
