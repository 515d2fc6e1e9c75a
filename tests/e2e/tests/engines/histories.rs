//! Histories for the comparison, and their rows in the warehouse.

use std::collections::BTreeMap;

use decision::Hold;
use features::{Definition, History, Label};
use jiff::Timestamp;
use look::simulate::{self, Simulation, Size};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

pub(crate) const ROWS: usize = 600;
/// Rows per INSERT: the Data API takes 100 KB of SQL.
const ROWS_PER_INSERT: usize = 1_000;

/// Ten days of transactions of few customers and terminals. Many have equal times or lie at the edge of a
/// window. A third have a label, which is early or late, or says that they are good.
pub(crate) fn history() -> History {
    let mut random = StdRng::seed_from_u64(7);
    let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
    let mut history = History {
        entities: vec![Vec::new(), Vec::new()],
        numbers: vec![Vec::new()],
        categories: vec![Vec::new()],
        ..History::default()
    };
    for _ in 0..ROWS {
        let hour = random.random_range(0..240_i64) * 3_600_000;
        let millis = if random.random_bool(0.5) {
            hour
        } else {
            hour + random.random_range(0..3_600_000)
        };
        history.occurred_at.push(at(millis));
        history
            .amounts
            .push(f64::from(random.random_range(0..100_000)) / 100.0);
        history.entities[0].push(random.random_range(0..8));
        history.entities[1].push(random.random_range(0..12));
        // A large number with a small deviation, and a category. Both may be missing.
        let age = 1e9 + f64::from(random.random_range(0..100));
        history.numbers[0].push(if random.random_bool(0.8) {
            age
        } else {
            f64::NAN
        });
        history.categories[0].push(random.random_bool(0.8).then(|| random.random_range(0..4)));
        let reported = millis + random.random_range(0..72_i64) * 3_600_000;
        let label = Label {
            reported_at: at(reported),
            is_fraud: random.random_bool(0.8),
        };
        history
            .labels
            .push(random.random_bool(0.3).then_some(label));
    }
    history
}

/// Six weeks of simulated cards, each fraud reported a week after it.
pub(crate) fn simulated() -> History {
    let mut history = History {
        entities: vec![Vec::new(), Vec::new()],
        ..History::default()
    };
    for simulated in Simulation::new(Size {
        customers: 250,
        terminals: 1_000,
        days: 42,
        seed: 3,
    })
    .flatten()
    {
        let row = simulate::row(&simulated, simulate::start());
        history.occurred_at.push(row.occurred_at);
        history.amounts.push(simulated.amount());
        history.entities[0].push(simulated.customer);
        history.entities[1].push(simulated.terminal);
        let label = Label {
            reported_at: row.reported_at,
            is_fraud: true,
        };
        history
            .labels
            .push((row.fraud == Some(true)).then_some(label));
    }
    history
}

fn age(history: &History, row: usize) -> Option<f64> {
    Some(history.numbers.first()?[row]).filter(|age| !age.is_nan())
}

fn channel(history: &History, row: usize) -> Option<String> {
    history.categories.first()?[row].map(|channel| format!("it's {channel}"))
}

/// The entities of the histories here are customers and terminals, under the definition's names.
pub(crate) fn hold(definition: &Definition, history: &History, row: usize) -> Hold {
    let [customer, terminal] = entities(definition);
    serde_json::from_value(json!({
        "decision_id": format!("0-{row}-0"), "transaction_id": format!("T{row}"), "occurred_at": history.occurred_at[row],
        "amount": history.amounts[row], "score": 0.9, "reasons": [], "model_version": "v",
        "entities": {
            customer: format!("it's C{}", history.entities[0][row]),
            terminal: format!("S{}", history.entities[1][row]),
        },
        "numbers": age(history, row).map(|age| ("age", age)).into_iter().collect::<BTreeMap<_, _>>(),
        "categories": channel(history, row).map(|channel| ("channel", channel)).into_iter().collect::<BTreeMap<_, _>>(),
        "decided_at": history.occurred_at[row], "deadline": history.occurred_at[row],
    }))
    .unwrap()
}

/// The names of the customer and of the terminal.
fn entities(definition: &Definition) -> [&String; 2] {
    let entities = &definition.schema().entities;
    [&entities[0], &entities[1]]
}

/// The statements that insert a history.
pub(crate) fn inserts(definition: &Definition, history: &History) -> Vec<String> {
    let [customer, terminal] = entities(definition);
    let quoted = |text: &str| text.replace('\'', "''");
    let more_columns = if history.numbers.is_empty() {
        ""
    } else {
        ", age, channel"
    };
    let mut transactions = Vec::new();
    let mut reports = Vec::new();
    for row in 0..history.len() {
        let hold = hold(definition, history, row);
        let entity = |name: &str| quoted(&hold.entities[name]);
        let mut values = format!(
            "'{}', '{}', {}, '{}', '{}'",
            hold.transaction_id,
            hold.occurred_at,
            hold.amount,
            entity(customer),
            entity(terminal),
        );
        if !more_columns.is_empty() {
            let age = age(history, row).map_or_else(|| "NULL".to_owned(), |age| age.to_string());
            let channel = channel(history, row).map_or_else(
                || "NULL".to_owned(),
                |channel| format!("'{}'", quoted(&channel)),
            );
            values.extend([", ", &age, ", ", &channel]);
        }
        transactions.push(format!("({values})"));
        if let Some(label) = history.labels[row] {
            reports.push(format!(
                "('{}', '{}', {})",
                hold.transaction_id, label.reported_at, label.is_fraud
            ));
        }
    }
    let columns =
        format!("transaction_id, occurred_at, amount, {customer}, {terminal}{more_columns}");
    let into =
        |table: &str, rows: &[String]| format!("INSERT INTO {table} VALUES {}", rows.join(", "));
    let transactions = transactions
        .chunks(ROWS_PER_INSERT)
        .map(|rows| into(&format!("transactions ({columns})"), rows));
    let reports = reports.chunks(ROWS_PER_INSERT).map(|rows| {
        into(
            "fraud_reports (transaction_id, reported_at, is_fraud)",
            rows,
        )
    });
    transactions.chain(reports).collect()
}
