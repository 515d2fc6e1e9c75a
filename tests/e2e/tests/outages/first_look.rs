//! The first look does not know the warehouse.

use std::collections::BTreeSet;

use e2e::functions::access_keys;
use e2e::stand_in::{calls, set_faults};
use e2e::traffic::Traffic;
use local::Local;
use look::consume::Consumer;
use look::system::System;
use serde_json::json;

use crate::decided::all_are_decided;

/// `score` decides with a healthy, a throttling and a hanging Data API, and never calls it.
pub(crate) async fn score_never_calls_the_warehouse(
    local: &Local,
    system: &System,
    consumer: &Consumer,
    sent: &mut Traffic,
) {
    let mut of_score = BTreeSet::new();
    let mut of_load = BTreeSet::new();
    let states = [
        ("healthy", json!({})),
        ("throttling", json!({ "throttle_share": 1.0 })),
        ("hanging", json!({ "hang_calls": true })),
    ];
    for (state, faults) in states {
        set_faults(local, &faults);
        let traffic = Traffic::usual(state, 300);
        traffic.publish(system).await;
        all_are_decided(consumer, &traffic).await;
        of_score.extend(access_keys(local, "score"));
        of_load.extend(access_keys(local, "load"));
        sent.extend(traffic);
    }
    set_faults(local, &json!({}));
    let calls = calls(local);
    let count = |keys: &BTreeSet<String>| -> u64 {
        let of_keys = keys.iter().filter_map(|key| calls.get(key));
        of_keys.sum()
    };
    assert!(!of_score.is_empty(), "no process of score was found");
    assert!(count(&of_load) > 0, "{of_load:?} of {calls:?}");
    assert_eq!(count(&of_score), 0, "{of_score:?} of {calls:?}");
}
