//! Many calls at the same time, but not too many.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use crate::engine::Result;

/// How many calls are under way at the same time.
const WIDTH: usize = 16;

/// Does something with each item, a bounded number at the same time, and gives what came of each, in no order.
///
/// After a failure nothing new is begun, but what is under way is awaited: a call that is dropped may still be carried
/// out by the daemon, after whoever cleans up has looked.
pub(in crate::engine) async fn each<I, T, W>(
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> W,
) -> Result<Vec<T>>
where
    W: Future<Output = Result<T>>,
{
    let failed = AtomicBool::new(false);
    // The futures are made here and run below: a closure inside the stream could not be sent between threads.
    let futures: Vec<_> = items
        .into_iter()
        .map(|item| unless(&failed, work(item)))
        .collect();
    let results: Vec<_> = stream::iter(futures)
        .buffer_unordered(WIDTH)
        .collect()
        .await;
    results.into_iter().flatten().collect()
}

/// Awaits a piece of work unless one has failed before it begins.
async fn unless<T>(
    failed: &AtomicBool,
    work: impl Future<Output = Result<T>>,
) -> Option<Result<T>> {
    if failed.load(Ordering::Relaxed) {
        return None;
    }
    let result = work.await;
    if result.is_err() {
        failed.store(true, Ordering::Relaxed);
    }
    Some(result)
}

/// The same, but a failure does not keep the others from being begun: for stopping and removing.
pub(in crate::engine) async fn every<I, W>(
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> W,
) -> Result<()>
where
    W: Future<Output = Result<()>>,
{
    let futures: Vec<_> = items.into_iter().map(work).collect();
    let results: Vec<_> = stream::iter(futures)
        .buffer_unordered(WIDTH)
        .collect()
        .await;
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;

    #[tokio::test]
    async fn after_a_failure_nothing_new_is_begun() {
        let begun = std::cell::Cell::new(0);
        let begun = &begun;
        let result = each(0..100, |n| async move {
            begun.set(begun.get() + 1);
            tokio::task::yield_now().await;
            if n == 3 {
                Err(EngineError::Gone {
                    what: "it".to_owned(),
                })
            } else {
                Ok(n)
            }
        })
        .await;
        assert!(result.is_err());
        assert!(begun.get() < 40, "{}", begun.get());
    }
}
