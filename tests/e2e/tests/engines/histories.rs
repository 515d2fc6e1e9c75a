//! Histories for the comparison, and their rows in the warehouse.

use features::{Definition, History, Label};
use jiff::Timestamp;
use look::simulate::{self, Simulation, Size};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub(crate) const ROWS: usize = 600;
/// Rows per INSERT: the Data API takes 100 KB of SQL.
const ROWS_PER_INSERT: usize = 500;
/// The claim of all turns.
pub(crate) const CLAIM: &str = "c0";

/// Ten days of transactions of few customers and terminals. Many have equal times or lie at the
/// edge of a window. A third have a label, which is early or late, or says that they are good.
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

/// The identity of a transaction, as text.
pub(crate) fn identity(row: usize) -> String {
    format!("i{row}")
}

/// Every tenth transaction is inserted as by hand, without its identity.
fn has_identity(row: usize) -> bool {
    row % 10 != 3
}

const NAMES: &str = "transaction_id, occurred_at, amount, identity_hash";

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
        history.amounts[row].to_string(),
        text(identity),
        text(Some(format!("it's C{}", history.entities[0][row]))),
        text(Some(format!("S{}", history.entities[1][row]))),
    ];
    if !history.numbers.is_empty() {
        let age = age(history, row).map(|age| age.to_string());
        values.push(age.unwrap_or_else(|| "NULL".to_owned()));
        values.push(text(channel(history, row)));
    }
    values.join(", ")
}

/// The statements that insert a history.
pub(crate) fn inserts(definition: &Definition, history: &History) -> Vec<String> {
    let transaction = |row| {
        let identity = has_identity(row).then(|| identity(row));
        format!("({})", values(history, row, identity))
    };
    let transactions: Vec<_> = (0..history.len()).map(transaction).collect();
    let report = |row: usize| {
        let label = history.labels[row]?;
        let Label {
            reported_at,
            is_fraud,
        } = label;
        Some(format!("('T{row}', '{reported_at}', {is_fraud})"))
    };
    let reports: Vec<_> = (0..history.len()).filter_map(report).collect();
    let columns = names(definition, history);
    let mut statements = insert(&format!("transactions ({columns})"), &transactions);
    let report_columns = "transaction_id, reported_at, is_fraud";
    statements.extend(insert(
        &format!("fraud_reports ({report_columns})"),
        &reports,
    ));
    statements
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
