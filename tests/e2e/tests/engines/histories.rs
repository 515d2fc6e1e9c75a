//! Histories for the comparison, and their rows in the warehouse.

use features::{Definition, History, Report};
use jiff::Timestamp;
use look::simulate::{self, Simulation, Size};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

pub(crate) const ROWS: usize = 600;
/// Rows per INSERT: the Data API takes 100 KB of SQL.
const ROWS_PER_INSERT: usize = 400;
/// The claim of all turns.
pub(crate) const CLAIM: &str = "c0";
const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;

/// Ten days of transactions of few customers and terminals. Many have equal times or lie at the
/// edge of a window. Some arrive late, some are replayed a year later. A third have reports, which
/// are early or late, are retracted, or arrive after later ones.
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
        let hour = random.random_range(0..240_i64) * HOUR;
        let millis = if random.random_bool(0.5) {
            hour
        } else {
            hour + random.random_range(0..HOUR)
        };
        history.occurred_at.push(at(millis));
        let late = match random.random_range(0..10) {
            0..6 => 0,
            6 => random.random_range(0..60_000),
            7 => random.random_range(0..48) * HOUR,
            8 => YEAR,
            _ => -random.random_range(0..60_000),
        };
        history.arrived_at.push(at(millis + late));
        history
            .amounts
            .push(f64::from(random.random_range(0..100_000)) / 100.0);
        history.entities[0].push(random.random_range(0..8));
        history.entities[1].push(random.random_range(0..12));
        // A large number with a small deviation, and a category. Both may be missing.
        let age = 1e9 + f64::from(random.random_range(0..100));
        let is_known = random.random_bool(0.8);
        history.numbers[0].push(if is_known { age } else { f64::NAN });
        history.categories[0].push(random.random_bool(0.8).then(|| random.random_range(0..4)));
        let mut reports = Vec::new();
        if random.random_bool(0.3) {
            for _ in 0..random.random_range(1..4) {
                // A report may come before its transaction.
                let reported = millis + random.random_range(-2..72_i64) * HOUR;
                let late = [0, 0, HOUR, 30 * HOUR, YEAR][random.random_range(0..5)];
                reports.push(Report {
                    reported_at: at(reported),
                    arrived_at: at(reported + late),
                    is_fraud: random.random_bool(0.7),
                });
            }
        }
        history.reports.push(reports);
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
        history.arrived_at.push(row.occurred_at);
        history.amounts.push(simulated.amount());
        history.entities[0].push(simulated.customer);
        history.entities[1].push(simulated.terminal);
        let report = Report {
            reported_at: row.reported_at,
            arrived_at: row.reported_at,
            is_fraud: true,
        };
        let is_fraud = row.fraud == Some(true);
        let reports = is_fraud.then_some(report).into_iter().collect();
        history.reports.push(reports);
    }
    history
}

/// `None` if it is missing.
pub(crate) fn age(history: &History, row: usize) -> Option<f64> {
    Some(history.numbers.first()?[row]).filter(|age| !age.is_nan())
}

pub(crate) fn channel(history: &History, row: usize) -> Option<String> {
    history.categories.first()?[row].map(|channel| format!("it's {channel}"))
}

pub(crate) fn customer(history: &History, row: usize) -> String {
    format!("it's C{}", history.entities[0][row])
}

pub(crate) fn terminal(history: &History, row: usize) -> String {
    format!("S{}", history.entities[1][row])
}

/// The identity of a transaction, as text.
pub(crate) fn identity(row: usize) -> String {
    format!("i{row}")
}

/// Every tenth transaction is inserted as by hand, without its identity.
fn has_identity(row: usize) -> bool {
    row % 10 != 3
}

const NAMES: &str = "transaction_id, occurred_at, arrived_at, amount, identity_hash";

/// The names of a history's columns, separated by commas. The definition names the two entities,
/// customer and terminal.
fn names(definition: &Definition, history: &History) -> String {
    let entities = definition.schema().entities.join(", ");
    let more = if history.numbers.is_empty() {
        ""
    } else {
        ", age, channel"
    };
    format!("{NAMES}, {entities}{more}")
}

/// A transaction's values in the order of [`names`].
fn values(history: &History, row: usize, identity: Option<String>) -> String {
    let text = |text: Option<String>| match text {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => "NULL".to_owned(),
    };
    let mut values = vec![
        format!("'T{row}'"),
        format!("'{}'", history.occurred_at[row]),
        format!("'{}'", history.arrived_at[row]),
        history.amounts[row].to_string(),
        text(identity),
        text(Some(customer(history, row))),
        text(Some(terminal(history, row))),
    ];
    if !history.numbers.is_empty() {
        let age = age(history, row).map(|age| age.to_string());
        values.push(age.unwrap_or_else(|| "NULL".to_owned()));
        values.push(text(channel(history, row)));
    }
    values.join(", ")
}

/// The statements that insert a history's transactions.
pub(crate) fn inserts(definition: &Definition, history: &History) -> Vec<String> {
    let transaction = |row| {
        let identity = has_identity(row).then(|| identity(row));
        format!("({})", values(history, row, identity))
    };
    let transactions: Vec<_> = (0..history.len()).map(transaction).collect();
    let columns = names(definition, history);
    insert(&format!("transactions ({columns})"), &transactions)
}

/// The lines of a file with all reports.
pub(crate) fn report_lines(history: &History) -> Vec<Value> {
    let mut lines = Vec::new();
    for (row, reports) in history.reports.iter().enumerate() {
        for report in reports {
            lines.push(json!({
                "transaction_id": format!("T{row}"),
                "reported_at": report.reported_at,
                "arrived_at": report.arrived_at,
                "is_fraud": report.is_fraud,
            }));
        }
    }
    lines
}

/// The statements that insert the holds of a turn: a hold's place in `held` is its ordinal.
pub(crate) fn hold_inserts(
    definition: &Definition,
    history: &History,
    turn: u64,
    held: &[usize],
) -> Vec<String> {
    let hold = |(ordinal, &row): (usize, &usize)| {
        let values = values(history, row, Some(identity(row)));
        format!("({turn}, '{CLAIM}', {ordinal}, {values})")
    };
    let holds: Vec<_> = held.iter().enumerate().map(hold).collect();
    let names = names(definition, history);
    let columns = format!("turn, claim_id, ordinal, {names}");
    insert(&format!("holds ({columns})"), &holds)
}

fn insert(into: &str, rows: &[String]) -> Vec<String> {
    let statement = |rows: &[String]| format!("INSERT INTO {into} VALUES {}", rows.join(", "));
    rows.chunks(ROWS_PER_INSERT).map(statement).collect()
}
