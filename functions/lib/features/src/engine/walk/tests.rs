use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::Window;
use crate::engine::Report;
use crate::engine::timeline::Arrivals;

const ROWS: usize = 5_000;
/// A row is looked at when it arrives, enters and leaves, and its reports when they come. One in
/// ten is late, which moves the bounds by three rows back and forth.
const STEPS_PER_ROW: usize = 8;

/// One transaction a minute, all reported as frauds. One in ten arrives three minutes late.
fn history() -> History {
    let at = |minute: usize| Timestamp::from_second(minute as i64 * 60).unwrap();
    let mut history = History::default();
    for row in 0..ROWS {
        let lateness = if row % 10 == 0 { 3 } else { 0 };
        history.occurred_at.push(at(row));
        history.arrived_at.push(at(row + lateness));
        history.amounts.push(1.0);
        history.reports.push(vec![Report {
            reported_at: at(row + 30),
            arrived_at: at(row + 40),
            is_fraud: true,
        }]);
    }
    history
}

struct Steps {
    rows: usize,
    frauds: usize,
}

/// The steps of a window of a fraud rate that moves over all rows.
fn steps(length: SignedDuration) -> Steps {
    let history = history();
    let window = Window {
        entity: 0,
        measure: Measure::FraudRate,
        length: Some(length),
        delay: SignedDuration::from_hours(1),
    };
    let all: Vec<usize> = (0..ROWS).collect();
    let timeline = Timeline::new(&history, &all, Arrivals::AsRecorded);
    let mut rows = RowWalk::for_measure(&history, &timeline, window.measure).unwrap();
    let mut frauds = FraudWalk::for_measure(&history, &timeline, window.measure).unwrap();
    for &position in &timeline.by_arrival.positions {
        let as_of = AsOf {
            time: timeline.times[position],
            arrival: timeline.arrivals[position],
        };
        let span = Span::of_window(&window, as_of.time, as_of.time);
        rows.move_to(span, as_of.arrival);
        frauds.move_to(span, as_of);
    }
    assert!(rows.parts().rows > 0.0);
    Steps {
        rows: rows.steps,
        frauds: frauds.steps,
    }
}

#[test]
fn work_does_not_grow_with_the_window() {
    for hours in [1, 10, 80] {
        let steps = steps(SignedDuration::from_hours(hours));
        assert!(
            (ROWS..STEPS_PER_ROW * ROWS).contains(&steps.rows),
            "{}",
            steps.rows
        );
        assert!(
            (ROWS..STEPS_PER_ROW * ROWS).contains(&steps.frauds),
            "{}",
            steps.frauds
        );
    }
}
