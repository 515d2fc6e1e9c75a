//! Runs processes one side effect at a time, in an order that the test chooses.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use simulation::{Course, Gate};

use crate::event::Event;

/// More polls than any process needs to reach its next side effect.
const MOST_POLLS: usize = 10_000;

/// What a process leaves: an event that is delivered again.
type Future<'w> = Pin<Box<dyn std::future::Future<Output = Option<Event>> + 'w>>;

struct Process<'w> {
    future: Future<'w>,
    /// The event that is delivered again if the process does not end.
    unfinished: Option<Event>,
}

/// The processes that are alive.
#[derive(Default)]
pub(crate) struct Processes<'w> {
    running: Vec<Process<'w>>,
    /// Processes that stalled: they go on when their work may long have been taken over.
    stalled: Vec<Process<'w>>,
}

impl<'w> Processes<'w> {
    /// Starts a process. `unfinished` is delivered again if it dies or stalls.
    pub(crate) fn spawn(
        &mut self,
        unfinished: Option<Event>,
        process: impl std::future::Future<Output = Option<Event>> + 'w,
    ) {
        self.running.push(Process {
            future: Box::pin(process),
            unfinished,
        });
    }

    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn stalled(&self) -> usize {
        self.stalled.len()
    }

    /// Takes one process through its next side effect, which has this course. Returns the event
    /// that is delivered again, or an error if the process does not go on.
    pub(crate) fn step(
        &mut self,
        index: usize,
        course: Course,
        gate: &Gate,
    ) -> Result<Option<Event>, String> {
        let mut context = Context::from_waker(Waker::noop());
        gate.let_one_pass(course);
        for _ in 0..MOST_POLLS {
            let process = &mut self.running[index];
            if let Poll::Ready(again) = process.future.as_mut().poll(&mut context) {
                drop(self.running.swap_remove(index));
                return Ok(again);
            }
            if gate.is_closed() {
                return Ok(None);
            }
        }
        Err("a process waits for something that does not happen".to_owned())
    }

    /// Kills a process between two side effects.
    pub(crate) fn kill(&mut self, index: usize) -> Option<Event> {
        self.running.swap_remove(index).unfinished
    }

    pub(crate) fn stall(&mut self, index: usize) -> Option<Event> {
        let mut process = self.running.swap_remove(index);
        let unfinished = process.unfinished.take();
        self.stalled.push(process);
        unfinished
    }

    /// A stalled process wakes up as a zombie.
    pub(crate) fn wake(&mut self, index: usize) {
        let process = self.stalled.swap_remove(index);
        self.running.push(process);
    }
}
