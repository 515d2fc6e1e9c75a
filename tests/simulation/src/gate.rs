//! Side effects one at a time.

use std::future::poll_fn;
use std::mem::take;
use std::sync::Mutex;
use std::task::Poll;

use fastrand::Rng;

/// Every call of a twin passes the gate. Opened once, it lets one call pass: so a process that runs
/// many calls side by side can still die between any two of them.
#[derive(Debug)]
pub struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    opening: Opening,
    /// Chooses among calls that wait side by side.
    random: Rng,
    /// The course of the next call.
    course: Course,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Closed,
    ForOneCall,
    Always,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Course {
    #[default]
    Good,
    /// The call fails and has no effect.
    Refused,
    /// The call has its effect, but fails.
    AnswerLost,
}

impl Gate {
    /// A closed gate. `seed` chooses the order of calls that wait side by side.
    pub fn closed(seed: u64) -> Self {
        Self::new(Opening::Closed, seed)
    }

    /// A gate that is always open.
    pub fn open() -> Self {
        Self::new(Opening::Always, 0)
    }

    fn new(opening: Opening, seed: u64) -> Self {
        Self(Mutex::new(State {
            opening,
            random: Rng::with_seed(seed),
            course: Course::Good,
        }))
    }

    /// Lets the next call pass, with this course.
    pub fn let_one_pass(&self, course: Course) {
        let mut state = self.0.lock().unwrap();
        state.opening = Opening::ForOneCall;
        state.course = course;
    }

    pub fn is_closed(&self) -> bool {
        self.0.lock().unwrap().opening == Opening::Closed
    }

    /// Passes the gate with a call that can fail. The course of the call decides whether `effect`
    /// happens and whether the caller gets the error.
    pub(crate) async fn call<T, E>(
        &self,
        effect: impl FnOnce() -> T,
        error: impl FnOnce() -> E,
    ) -> Result<T, E> {
        let course = self.pass().await;
        if course == Course::Refused {
            return Err(error());
        }
        let done = effect();
        match course {
            Course::AnswerLost => Err(error()),
            Course::Good | Course::Refused => Ok(done),
        }
    }

    /// Waits for the gate to open.
    pub(crate) async fn pass(&self) -> Course {
        poll_fn(|context| {
            if let Some(course) = self.try_pass() {
                return Poll::Ready(course);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    fn try_pass(&self) -> Option<Course> {
        let mut state = self.0.lock().unwrap();
        let is_chosen = state.random.bool();
        match state.opening {
            Opening::Always => Some(Course::Good),
            Opening::ForOneCall if is_chosen => {
                state.opening = Opening::Closed;
                Some(take(&mut state.course))
            }
            Opening::ForOneCall | Opening::Closed => None,
        }
    }
}
