//! The places of customers and terminals, and which terminals a customer uses.

use std::collections::HashMap;

use rand::RngExt;
use rand::rngs::StdRng;

/// The side of the square in which customers and terminals lie.
const SIDE: f64 = 100.0;
/// A customer uses the terminals within this distance.
const RADIUS: f64 = 5.0;

pub(super) struct Customer {
    /// The mean amount. The standard deviation is half of it.
    pub(super) mean_amount: f64,
    pub(super) per_day: f64,
    pub(super) terminals: Vec<u32>,
}

pub(super) struct World {
    pub(super) customers: Vec<Customer>,
}

impl World {
    pub(super) fn draw(customers: u32, terminals: u32, rng: &mut StdRng) -> Self {
        // A grid of cells as wide as the radius: the terminals of a customer lie in the nine cells
        // around the customer.
        let mut cells: HashMap<(i32, i32), Vec<(u32, f64, f64)>> = HashMap::new();
        for terminal in 0..terminals {
            let (x, y) = place(rng);
            cells.entry(cell(x, y)).or_default().push((terminal, x, y));
        }
        let customers = (0..customers)
            .map(|_| {
                let (x, y) = place(rng);
                let (column, row) = cell(x, y);
                let mut terminals: Vec<u32> = (column - 1..=column + 1)
                    .flat_map(|column| (row - 1..=row + 1).map(move |row| (column, row)))
                    .filter_map(|around| cells.get(&around))
                    .flatten()
                    .filter(|(_, tx, ty)| (tx - x).hypot(ty - y) < RADIUS)
                    .map(|(terminal, ..)| *terminal)
                    .collect();
                terminals.sort_unstable();
                Customer {
                    mean_amount: rng.random_range(5.0..100.0),
                    per_day: rng.random_range(0.0..4.0),
                    terminals,
                }
            })
            .collect();
        Self { customers }
    }
}

fn place(rng: &mut StdRng) -> (f64, f64) {
    (rng.random_range(0.0..SIDE), rng.random_range(0.0..SIDE))
}

fn cell(x: f64, y: f64) -> (i32, i32) {
    ((x / RADIUS) as i32, (y / RADIUS) as i32)
}
