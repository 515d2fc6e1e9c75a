//! Runs two futures step by step in a given order. The in-memory adapters yield once in every call,
//! so a step is one call. No scheduler of a runtime takes part.

use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, Runtime};

/// Time limits need a runtime to exist. No limit is ever reached here, so the runtime never runs.
static CLOCK: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());

/// No future of a test needs as many steps.
const MAX_STEPS: usize = 100_000;

/// Which of the two futures takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    First,
    Second,
}

/// Runs the future to its end.
pub fn finish<T>(future: impl Future<Output = T>) -> T {
    let _entered = CLOCK.enter();
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MAX_STEPS {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future does not end");
}

/// Steps both futures in this order, then in turns to their ends.
pub fn interleave<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    order: impl IntoIterator<Item = Turn>,
) -> (A, B) {
    let _entered = CLOCK.enter();
    let mut first = pin!(first);
    let mut second = pin!(second);
    let mut first_end = None;
    let mut second_end = None;
    for turn in order {
        match turn {
            Turn::First => step(first.as_mut(), &mut first_end),
            Turn::Second => step(second.as_mut(), &mut second_end),
        }
    }
    for _ in 0..MAX_STEPS {
        step(first.as_mut(), &mut first_end);
        step(second.as_mut(), &mut second_end);
        if first_end.is_some() && second_end.is_some() {
            break;
        }
    }
    (
        first_end.expect("the first future ends"),
        second_end.expect("the second future ends"),
    )
}

fn step<T>(future: Pin<&mut impl Future<Output = T>>, end: &mut Option<T>) {
    if end.is_some() {
        return;
    }
    if let Poll::Ready(value) = future.poll(&mut Context::from_waker(Waker::noop())) {
        *end = Some(value);
    }
}

/// All orders of `steps` steps of the first future and `steps` steps of the second.
pub fn orders(steps: u32) -> impl Iterator<Item = Vec<Turn>> {
    (0_u32..1 << (2 * steps))
        .filter(move |bits| bits.count_ones() == steps)
        .map(move |bits| order_of_bits(bits, 2 * steps))
}

fn order_of_bits(bits: u32, length: u32) -> Vec<Turn> {
    let mut order = Vec::new();
    for place in 0..length {
        let is_set = bits >> place & 1 == 1;
        order.push(if is_set { Turn::First } else { Turn::Second });
    }
    order
}

/// All orders of four runs: the first future, the second, the first again, then `most` steps of the
/// second. Each of the first three runs has 0 to `most` steps.
pub fn runs(most: usize) -> Vec<Vec<Turn>> {
    let mut orders = Vec::new();
    for i in 0..=most {
        for j in 0..=most {
            for k in 0..=most {
                let mut order = vec![Turn::First; i];
                order.extend(vec![Turn::Second; j]);
                order.extend(vec![Turn::First; k]);
                order.extend(vec![Turn::Second; most]);
                orders.push(order);
            }
        }
    }
    orders
}
