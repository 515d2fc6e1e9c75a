//! Histories whose times collide, lie on the edges of windows and cut-offs, or arrive late.

use features::{History, Report};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::definitions::{HOUR, LAG, PERIOD};

/// A cut-off, in milliseconds since 1970.
pub(crate) const START: i64 = 39_352 * PERIOD;
const HOURS: i64 = 96;
const YEARS: i64 = 6 * 365 * 24 * HOUR;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

/// A transaction. Times are in milliseconds.
#[derive(Clone, Debug)]
struct Row {
    occurred_at: i64,
    lateness: i64,
    customer: u32,
    terminal: u32,
    quarters: u32,
    age: Option<f64>,
    channel: Option<u32>,
    reports: Vec<Report>,
}

/// Times of few hours, and one millisecond before and after them.
fn time() -> impl Strategy<Value = i64> {
    let edge = (0..HOURS, -1..=1_i64).prop_map(|(hour, millis)| START + hour * HOUR + millis);
    let cut_off = (0..8_i64).prop_map(|number| START + number * PERIOD);
    prop_oneof![4 => edge, 2 => cut_off, 2 => START..START + HOURS * HOUR]
}

/// From an own time to an arrival. A period or more is a replay.
fn lateness() -> impl Strategy<Value = i64> {
    let edge = prop_oneof![
        Just(LAG),
        Just(PERIOD - 1),
        Just(PERIOD),
        Just(PERIOD + LAG)
    ];
    let early = -2 * HOUR..0;
    let hours = (0..30_i64).prop_map(|hours| hours * HOUR);
    prop_oneof![6 => Just(0), 3 => 0..2 * HOUR, 3 => edge, 2 => hours, 1 => early, 1 => Just(YEARS)]
}

prop_compose! {
    fn report()(
        time in time(),
        lateness in lateness(),
        is_fraud in prop::bool::weighted(0.7),
    ) -> Report {
        Report {
            reported_at: at(time),
            arrived_at: at(time + lateness),
            is_fraud,
        }
    }
}

/// Half of the transactions have none.
fn reports() -> impl Strategy<Value = Vec<Report>> {
    prop_oneof![Just(Vec::new()), prop::collection::vec(report(), 1..4)]
}

/// Few values, so that they repeat, and large ones beside small ones. All are whole quarters.
fn age() -> impl Strategy<Value = Option<f64>> {
    let large = prop_oneof![Just(1e9), Just(1e9 + 0.5)];
    prop::option::weighted(
        0.8,
        prop_oneof![3 => (-4..4_i32).prop_map(f64::from), 1 => large],
    )
}

prop_compose! {
    fn row()(
        occurred_at in time(),
        lateness in lateness(),
        customer in 0..3_u32,
        terminal in 0..4_u32,
        quarters in 0..1_000_u32,
        age in age(),
        channel in prop::option::weighted(0.8, 0..3_u32),
        reports in reports(),
    ) -> Row {
        Row { occurred_at, lateness, customer, terminal, quarters, age, channel, reports }
    }
}

fn history_of(rows: Vec<Row>) -> History {
    let mut history = History {
        entities: vec![Vec::new(), Vec::new()],
        numbers: vec![Vec::new()],
        categories: vec![Vec::new()],
        ..History::default()
    };
    for row in rows {
        history.occurred_at.push(at(row.occurred_at));
        history.arrived_at.push(at(row.occurred_at + row.lateness));
        history.amounts.push(f64::from(row.quarters) / 4.0);
        history.entities[0].push(row.customer);
        history.entities[1].push(row.terminal);
        history.numbers[0].push(row.age.unwrap_or(f64::NAN));
        history.categories[0].push(row.channel);
        history.reports.push(row.reports);
    }
    history
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    prop::collection::vec(row(), 0..60).prop_map(history_of)
}

/// The time of a profile.
pub(crate) fn cut_off() -> impl Strategy<Value = i64> {
    (-1..9_i64).prop_map(|number| START + number * PERIOD)
}
