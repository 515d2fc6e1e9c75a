//! Runs processes one side effect at a time, in an order that the test chooses.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A process: each poll takes it to its next side effect, since every call of a twin yields once.
pub type Process<'w> = Pin<Box<dyn Future<Output = ()> + 'w>>;

/// How many orders a test runs: `usual`, unless the variable `ORDERS` says otherwise.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own"
)]
pub fn orders_to_run(usual: u64) -> u64 {
    let chosen = std::env::var("ORDERS").ok();
    chosen.map_or(usual, |text| text.parse().unwrap())
}

/// The processes that are alive.
#[derive(Default)]
pub struct Processes<'w> {
    running: Vec<Process<'w>>,
    /// Processes that stalled: they go on when their work may long have been taken over.
    stalled: Vec<Process<'w>>,
}

impl<'w> Processes<'w> {
    pub fn spawn(&mut self, process: impl Future<Output = ()> + 'w) {
        self.running.push(Box::pin(process));
    }

    pub fn running(&self) -> usize {
        self.running.len()
    }

    pub fn stalled(&self) -> usize {
        self.stalled.len()
    }

    /// Takes one process to its next side effect.
    pub fn step(&mut self, index: usize) {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(()) = self.running[index].as_mut().poll(&mut context) {
            drop(self.running.swap_remove(index));
        }
    }

    /// Kills a process between two side effects.
    pub fn kill(&mut self, index: usize) {
        drop(self.running.swap_remove(index));
    }

    pub fn stall(&mut self, index: usize) {
        let process = self.running.swap_remove(index);
        self.stalled.push(process);
    }

    /// A stalled process wakes up as a zombie.
    pub fn wake(&mut self, index: usize) {
        let process = self.stalled.swap_remove(index);
        self.running.push(process);
    }
}
