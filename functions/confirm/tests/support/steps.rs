//! Two futures, step by step in a given order: the twins yield once in every call, so that a step is
//! a call. Without a runtime's scheduler, for nothing here waits for anything but its turn.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, Runtime};

/// Whose clock time limits go by. Nobody drives it: here no limit is ever reached.
static CLOCK: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());

/// Runs a future to its end.
pub(crate) fn finish<T>(future: impl Future<Output = T>) -> T {
    let _entered = CLOCK.enter();
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future does not end");
}

/// Polls `a` (true) and `b` (false) in this order, then both to their ends.
pub(crate) fn interleave<A, B>(
    a: impl Future<Output = A>,
    b: impl Future<Output = B>,
    order: impl IntoIterator<Item = bool>,
) -> (A, B) {
    let _entered = CLOCK.enter();
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut end_a, mut end_b) = (None, None);
    for first in order {
        if first {
            step(a.as_mut(), &mut end_a);
        } else {
            step(b.as_mut(), &mut end_b);
        }
    }
    for _ in 0..100_000 {
        step(a.as_mut(), &mut end_a);
        step(b.as_mut(), &mut end_b);
        if let (Some(_), Some(_)) = (&end_a, &end_b) {
            break;
        }
    }
    (
        end_a.expect("the first ends"),
        end_b.expect("the second ends"),
    )
}

fn step<T>(future: Pin<&mut impl Future<Output = T>>, end: &mut Option<T>) {
    if end.is_none()
        && let Poll::Ready(value) = future.poll(&mut Context::from_waker(Waker::noop()))
    {
        *end = Some(value);
    }
}

/// Every order of `steps` steps of the first and `steps` of the second.
pub(crate) fn orders(steps: u32) -> impl Iterator<Item = impl Iterator<Item = bool>> {
    (0_u32..1 << (2 * steps))
        .filter(move |order| order.count_ones() == steps)
        .map(move |order| (0..2 * steps).map(move |step| order >> step & 1 == 1))
}

/// Every order in which the first takes some steps, the second some, the first some, and so on,
/// each at most `most`.
pub(crate) fn turns(most: usize) -> impl Iterator<Item = impl Iterator<Item = bool>> {
    let run = move |first: bool, steps: usize| std::iter::repeat_n(first, steps);
    (0..=most).flat_map(move |i| {
        (0..=most).flat_map(move |j| {
            (0..=most).map(move |k| {
                run(true, i)
                    .chain(run(false, j))
                    .chain(run(true, k))
                    .chain(run(false, most))
            })
        })
    })
}
