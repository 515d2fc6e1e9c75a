//! The simulator keeps the rules of its description.

use look::simulate::{LARGE_AMOUNT, Made, Simulation, Size};
use proptest::prelude::*;

fn all(size: Size) -> Vec<Made> {
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
    fn two_terminals_a_day_leave_at_most_that_many_with_scenario_two(seed: u64) {
        let made = all(Size { customers: 200, terminals: 400, days: 5, seed });
        let mut terminals: Vec<u32> = made.iter().filter(|made| made.scenario == Some(2)).map(|made| made.terminal).collect();
        terminals.sort_unstable();
        terminals.dedup();
        prop_assert!(terminals.len() <= 10);
        // A terminal's first fraud opens it: from then on each of its transactions is fraudulent.
        for terminal in terminals {
            let mut of = made.iter().filter(|made| made.terminal == terminal).skip_while(|made| made.scenario != Some(2));
            prop_assert!(of.all(|made| made.scenario.is_some()));
        }
    }
}
