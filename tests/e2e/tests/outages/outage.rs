//! A warehouse that is down for two minutes under traffic.

use std::time::{Duration, Instant};

use decision::{Action, SettledBy};
use e2e::published::Published;
use e2e::traffic::Traffic;
use e2e::wait::{clean_audit, eventually, idle, swept};
use jiff::SignedDuration;
use local::Local;
use look::consume::Consumer;
use look::system::System;

use crate::decided::{all_are_decided, all_holds_are_settled};

const OUTAGE: Duration = Duration::from_mins(2);
/// Holds that are placed as the outage begins, and expire while it lasts.
const OVERDUE: usize = 2_000;
const NAME: &str = "overdue";
/// How often the schedule invokes the sweep.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// How long a sweep takes new work.
const SWEEP: SignedDuration = SignedDuration::from_secs(45);

/// Kills the stand-in, sends holds and then transactions each second, and starts it again.
pub(crate) async fn for_two_minutes(
    local: &mut Local,
    system: &System,
    consumer: &Consumer,
    sent: &mut Traffic,
) {
    local.kill_stand_in().unwrap();
    let start = Instant::now();
    let overdue = Traffic::holds(NAME, OVERDUE);
    overdue.publish(system).await;
    let mut during = overdue.clone();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for second in 0.. {
        seconds.tick().await;
        if start.elapsed() >= OUTAGE {
            break;
        }
        // Of all customers: the holds of one alone would change its mean.
        let traffic = Traffic::usual_of("during", second * 10..(second + 1) * 10);
        traffic.publish(system).await;
        during.extend(traffic);
    }
    // Both without the warehouse: the first look, and the holds at their deadlines.
    all_are_decided(consumer, &during).await;
    all_holds_are_settled(consumer, &overdue, 90).await;
    sent.extend(during);
    local.start_stand_in().unwrap();
}

/// After the outage: every hold has one final decision, in time; every transaction is loaded.
pub(crate) async fn everything_is_settled_and_loaded(
    local: &Local,
    system: &System,
    consumer: &Consumer,
    sent: &Traffic,
) {
    // The last holds expire a minute after the outage. The schedule alone invokes the sweep.
    all_holds_are_settled(consumer, sent, 180).await;
    swept(local, "nothing is in progress", 300, async || {
        idle(system).await
    })
    .await;
    let scope = sent.scope();
    let audited = async || clean_audit(system, &scope).await;
    let found = eventually("the audit is clean", 120, audited).await;
    assert_eq!((found.held, found.settled), (sent.held(), sent.held()));
    check_times(consumer);
    check_publications(system, sent).await;
}

/// Every final decision is on the stream by the deadline of its hold plus one sweep interval, and
/// the time that the sweep takes.
fn check_times(consumer: &Consumer) {
    let log = consumer.log();
    let mut latest = SignedDuration::MIN;
    for (id, read) in &log.finals {
        let hold = &log.provisional[id].decision;
        let late = read.read_at.duration_since(hold.deadline.unwrap());
        latest = latest.max(late);
        assert!(late <= SWEEP_INTERVAL + SWEEP, "{late:#}: {read:#?}");
    }
    eprintln!("the latest final decision came {latest:#} after its deadline");
}

/// A hold that expired while the warehouse was down was settled and published once. The others are
/// settled by their history or by expiry.
async fn check_publications(system: &System, sent: &Traffic) {
    let published = Published::read(system).await;
    let mut overdue = 0;
    for (id, finals) in &published.finals {
        let last = &finals[0];
        let expected = match last.settled_by {
            Some(SettledBy::Expiry) => Some(Action::Review),
            _ => sent.transactions[last.transaction_id.as_str()],
        };
        for repeated in finals {
            assert_eq!(Some(repeated.action), expected, "{repeated:#?}");
        }
        if last.transaction_id.as_str().starts_with(NAME) {
            assert_eq!(
                finals.len(),
                1,
                "{id} was published more than once: {finals:#?}"
            );
            assert_eq!(last.settled_by, Some(SettledBy::Expiry), "{last:#?}");
            overdue += 1;
        }
    }
    assert_eq!(overdue, OVERDUE);
}
