//! Simulated card transactions with frauds, by the description in chapter 3 of the *Fraud Detection
//! Handbook* (Le Borgne, Siblini, Lebichot, Bontempi).
//!
//! One day is simulated at a time: memory holds the customers, the terminals and one day.

mod world;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal, Poisson};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use world::World;

use crate::input::{LABEL_DELAY, Row};

/// Seconds in a day.
pub const DAY_SECONDS: u32 = 86_400;
/// Scenario 1: every amount above this is fraudulent.
pub const LARGE_AMOUNT: f64 = 220.0;
/// Scenario 2: how many terminals of how many are compromised per day. A smaller simulation keeps
/// the share.
const TERMINALS_DRAWN: (u32, u32) = (2, 10_000);
/// Scenario 3: the same for customers.
const CUSTOMERS_DRAWN: (u32, u32) = (3, 5_000);
/// Scenario 2: how many days a terminal stays compromised.
pub const TERMINAL_DAYS: u32 = 28;
/// Scenario 3: how many days a customer stays compromised.
pub const CUSTOMER_DAYS: u32 = 14;
/// Scenario 3: the factor of fraudulent amounts.
pub const CUSTOMER_FACTOR: f64 = 5.0;

#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub customers: u32,
    pub terminals: u32,
    /// How many days.
    pub days: u32,
    /// The same seed and size give the same transactions.
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedTransaction {
    /// Counts from 0 in the order of time.
    pub number: u64,
    /// Days since the first day.
    pub day: u32,
    /// Second of the day, `1..86400`.
    pub second: u32,
    pub customer: u32,
    pub terminal: u32,
    pub cents: u64,
    /// The scenario of a fraud (1, 2 or 3); `None` for a good transaction. Never a feature.
    pub scenario: Option<u8>,
}

impl SimulatedTransaction {
    pub fn amount(&self) -> f64 {
        self.cents as f64 / 100.0
    }
}

/// A compromised customer: one of three transactions, chosen at random, is fraudulent.
struct Compromise {
    until_day: u32,
    seen: u32,
    chosen: u32,
}

/// Simulates transactions day by day.
pub struct Simulation {
    size: Size,
    world: World,
    rng: StdRng,
    day: u32,
    number: u64,
    terminals: BTreeMap<u32, u32>,
    customers: BTreeMap<u32, Vec<Compromise>>,
}

impl Simulation {
    /// Places the customers and the terminals.
    pub fn new(size: Size) -> Self {
        let mut rng = StdRng::seed_from_u64(size.seed);
        let world = World::draw(size.customers, size.terminals, &mut rng);
        Self {
            size,
            world,
            rng,
            day: 0,
            number: 0,
            terminals: BTreeMap::new(),
            customers: BTreeMap::new(),
        }
    }

    fn good_transactions(&mut self) -> Vec<SimulatedTransaction> {
        let mut made = Vec::new();
        for (customer, person) in (0_u32..).zip(&self.world.customers) {
            if person.terminals.is_empty() {
                continue;
            }
            let Ok(count) = Poisson::new(person.per_day) else {
                continue;
            };
            for _ in 0..count.sample(&mut self.rng) as u32 {
                let at = draw(&mut self.rng, f64::from(DAY_SECONDS) / 2.0, 20_000.0);
                // As in the Handbook, a draw outside the day gives no transaction.
                if at < 1.0 || at >= f64::from(DAY_SECONDS) {
                    continue;
                }
                let mut amount = draw(&mut self.rng, person.mean_amount, person.mean_amount / 2.0);
                if amount < 0.0 {
                    amount = self.rng.random_range(0.0..2.0 * person.mean_amount);
                }
                let choice = self.rng.random_range(0..person.terminals.len());
                let Some(&terminal) = person.terminals.get(choice) else {
                    continue;
                };
                let cents = (amount * 100.0).round() as u64;
                made.push(SimulatedTransaction {
                    number: 0,
                    day: self.day,
                    second: at as u32,
                    customer,
                    terminal,
                    cents,
                    scenario: None,
                });
            }
        }
        made.sort_by_key(|made| (made.second, made.customer));
        made
    }

    fn compromise(&mut self) {
        let day = self.day;
        self.terminals.retain(|_, until| *until > day);
        for terminal in distinct(
            &mut self.rng,
            self.size.terminals,
            drawn(TERMINALS_DRAWN, self.size.terminals, day),
        ) {
            self.terminals.insert(terminal, day + TERMINAL_DAYS);
        }
        self.customers.retain(|_, all| {
            all.retain(|one| one.until_day > day);
            !all.is_empty()
        });
        for customer in distinct(
            &mut self.rng,
            self.size.customers,
            drawn(CUSTOMERS_DRAWN, self.size.customers, day),
        ) {
            let one = Compromise {
                until_day: day + CUSTOMER_DAYS,
                seen: 0,
                chosen: 0,
            };
            self.customers.entry(customer).or_default().push(one);
        }
    }

    fn defraud(&mut self, made: &mut SimulatedTransaction) {
        if made.amount() > LARGE_AMOUNT {
            made.scenario = Some(1);
        }
        if self.terminals.contains_key(&made.terminal) {
            made.scenario = Some(2);
        }
        let mut stolen = false;
        for one in self.customers.get_mut(&made.customer).into_iter().flatten() {
            if one.seen % 3 == 0 {
                one.chosen = self.rng.random_range(0..3);
            }
            stolen |= one.seen % 3 == one.chosen;
            one.seen += 1;
        }
        if stolen {
            made.cents *= CUSTOMER_FACTOR as u64;
            made.scenario = Some(3);
        }
    }
}

impl Iterator for Simulation {
    type Item = Vec<SimulatedTransaction>;

    /// The next day's transactions, in order.
    fn next(&mut self) -> Option<Self::Item> {
        if self.day >= self.size.days {
            return None;
        }
        self.compromise();
        let mut day = self.good_transactions();
        for made in &mut day {
            self.defraud(made);
            made.number = self.number;
            self.number += 1;
        }
        self.day += 1;
        Some(day)
    }
}

/// How many of `among` are compromised on a day. The daily shares add up over the days, and each
/// whole one is compromised.
fn drawn((count, of): (u32, u32), among: u32, day: u32) -> u32 {
    let by = |days: u32| u64::from(days) * u64::from(among) * u64::from(count) / u64::from(of);
    (by(day + 1) - by(day)) as u32
}

fn draw(rng: &mut StdRng, mean: f64, sd: f64) -> f64 {
    Normal::new(mean, sd).map_or(mean, |normal| normal.sample(rng))
}

fn distinct(rng: &mut StdRng, among: u32, count: u32) -> Vec<u32> {
    let mut drawn = Vec::new();
    while drawn.len() < count.min(among) as usize {
        let one = rng.random_range(0..among);
        if !drawn.contains(&one) {
            drawn.push(one);
        }
    }
    drawn
}

/// The first simulated day by default.
pub fn start() -> Timestamp {
    // 1 January 2026.
    Timestamp::from_second(1_767_225_600).unwrap_or_default()
}

/// All transactions of a simulation that begins at `start`, with their labels.
pub fn rows(size: Size, start: Timestamp) -> Vec<Row> {
    Simulation::new(size)
        .flatten()
        .map(|made| row(&made, start))
        .collect()
}

/// A simulated transaction as a row with its label.
pub fn row(made: &SimulatedTransaction, start: Timestamp) -> Row {
    let seconds = i64::from(made.day) * i64::from(DAY_SECONDS) + i64::from(made.second);
    let occurred_at = start
        .saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    let transaction_id = format!("T{:08}", made.number);
    let customer = format!("C{:05}", made.customer);
    let json = json!({
        "transaction_id": transaction_id, "occurred_at": occurred_at, "amount": made.amount(),
        "customer_id": customer, "terminal_id": format!("S{:05}", made.terminal),
    });
    Row {
        json: json.to_string(),
        transaction_id,
        occurred_at,
        partition_key: customer,
        fraud: Some(made.scenario.is_some()),
        reported_at: occurred_at
            .saturating_add(LABEL_DELAY)
            .unwrap_or(Timestamp::MAX),
    }
}
