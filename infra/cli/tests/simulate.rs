//! The simulator follows the rules of the Handbook's description.

use std::collections::BTreeMap;

use look::simulate::{
    CUSTOMER_DAYS, LARGE_AMOUNT, SimulatedTransaction, Simulation, Size, TERMINAL_DAYS,
};
use proptest::prelude::*;

fn all(size: Size) -> Vec<SimulatedTransaction> {
    Simulation::new(size).flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_seed_repeats_itself_and_time_never_runs_backwards(seed: u64, customers in 0_u32..200, terminals in 0_u32..400, days in 0_u32..20) {
        let size = Size { customers, terminals, days, seed };
        let made = all(size);
        prop_assert_eq!(&made, &all(size));
        prop_assert!(made.is_sorted_by_key(|made| (made.day, made.second)));
        prop_assert!(made.iter().zip(0..).all(|(made, number)| made.number == number));
        prop_assert!(made.iter().all(|made| made.day < days && (1..86_400).contains(&made.second)));
    }

    #[test]
    fn every_amount_above_the_limit_is_fraud_and_scenario_one_lies_above_it(seed: u64) {
        for made in all(Size { customers: 200, terminals: 400, days: 20, seed }) {
            prop_assert!(made.amount() <= LARGE_AMOUNT || made.scenario.is_some());
            prop_assert!(made.scenario != Some(1) || made.amount() > LARGE_AMOUNT);
        }
    }

    #[test]
    fn a_compromised_terminal_stays_compromised(seed: u64) {
        // In two days, one terminal of 2,500 and 3 customers of 2,500 are compromised.
        let made = all(Size { customers: 2_500, terminals: 2_500, days: 6, seed });
        let mut terminals: Vec<u32> = made.iter().filter(|made| made.scenario == Some(2)).map(|made| made.terminal).collect();
        terminals.sort_unstable();
        terminals.dedup();
        prop_assert!(terminals.len() <= 3);
        // From its first fraud on, each transaction of a terminal is fraudulent.
        for terminal in terminals {
            let mut of = made.iter().filter(|made| made.terminal == terminal).skip_while(|made| made.scenario != Some(2));
            prop_assert!(of.all(|made| made.scenario.is_some()));
        }
    }
}

/// The first and the last day of the frauds of each customer or terminal in a scenario.
fn spans(
    made: &[SimulatedTransaction],
    scenario: u8,
    of: fn(&SimulatedTransaction) -> u32,
) -> BTreeMap<u32, (u32, u32)> {
    let mut spans = BTreeMap::new();
    for made in made.iter().filter(|made| made.scenario == Some(scenario)) {
        let span = spans.entry(of(made)).or_insert((made.day, made.day));
        span.1 = made.day;
    }
    spans
}

/// How many were compromised for at least `days` days, and the longest time of the others.
fn longest(spans: &BTreeMap<u32, (u32, u32)>, days: u32) -> (usize, u32) {
    let lengths = spans.values().map(|(first, last)| last - first + 1);
    let (longer, others): (Vec<u32>, Vec<u32>) = lengths.partition(|length| *length > days);
    (longer.len(), others.into_iter().max().unwrap_or_default())
}

#[test]
fn terminals_are_compromised_for_28_days_and_customers_for_14() {
    let made = all(Size {
        customers: 3_000,
        terminals: 6_000,
        days: 60,
        seed: 5,
    });
    // 12 of 6,000 are compromised in ten days, few of them twice in a row.
    let terminals = spans(&made, 2, |made| made.terminal);
    let (again, longest_of_once) = longest(&terminals, TERMINAL_DAYS);
    assert!(
        (60..=72).contains(&terminals.len()) && again <= 5,
        "{again} of {} are compromised for longer",
        terminals.len()
    );
    assert!(
        (27..=28).contains(&longest_of_once),
        "{longest_of_once} days"
    );
    // 18 of 3,000 are compromised in ten days.
    let customers = spans(&made, 3, |made| made.customer);
    let (again, longest_of_once) = longest(&customers, CUSTOMER_DAYS);
    assert!(
        (80..=108).contains(&customers.len()) && again <= 12,
        "{again} of {} are compromised for longer",
        customers.len()
    );
    assert!(
        (13..=14).contains(&longest_of_once),
        "{longest_of_once} days"
    );
}

#[test]
fn one_of_three_transactions_of_a_compromised_customer_is_a_fraud_of_five_times_the_amount() {
    let size = Size {
        customers: 3_000,
        terminals: 6_000,
        days: 30,
        seed: 6,
    };
    let made = all(size);
    let stolen: Vec<&SimulatedTransaction> = made
        .iter()
        .filter(|made| made.scenario == Some(3))
        .collect();
    assert!(stolen.iter().all(|made| made.cents % 5 == 0));
    let mean = |of: &mut dyn Iterator<Item = &SimulatedTransaction>| {
        let (sum, count) = of.fold((0.0, 0), |(sum, count), made| {
            (sum + made.amount(), count + 1)
        });
        sum / f64::from(count)
    };
    let times = mean(&mut stolen.iter().copied())
        / mean(&mut made.iter().filter(|made| made.scenario.is_none()));
    assert!((4.0..6.0).contains(&times), "{times}");

    let spans = spans(&made, 3, |made| made.customer);
    let within = |made: &&SimulatedTransaction| {
        spans
            .get(&made.customer)
            .is_some_and(|(first, last)| (*first..=*last).contains(&made.day))
    };
    let all = made.iter().filter(within).count();
    let share = stolen.len() as f64 / all as f64;
    // From the first fraud to the last: a little more than a third.
    assert!((0.33..0.43).contains(&share), "{share} of {all}");
}
