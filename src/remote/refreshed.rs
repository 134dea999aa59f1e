//! A value that is costly to make: a young one is returned at once, a slightly old one too, while a new one is made in
//! the background. Two are never made at the same time. It does not know what the value is.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::reader::ReadError;

/// A value that is older than this many lifetimes is no longer returned.
const STALE_LIFETIMES: u32 = 4;

/// The value, and how it is made.
pub(super) struct Refreshed<T> {
    lifetime: Duration,
    state: Mutex<State<T>>,
    /// Counts the attempts that have ended.
    ended: tokio::sync::watch::Sender<u64>,
}

struct State<T> {
    /// With the moment at which making it began: what came later is not in it.
    made: Option<(Instant, Arc<T>)>,
    failed: Option<(Instant, ReadError)>,
    is_running: bool,
}

impl<T: Send + Sync + 'static> Refreshed<T> {
    /// Values are young for `lifetime`; if that is zero, each only serves requests made before it was begun.
    pub(super) fn new(lifetime: Duration) -> Arc<Self> {
        let state = State { made: None, failed: None, is_running: false };
        Arc::new(Self { lifetime, state: Mutex::new(state), ended: tokio::sync::watch::Sender::new(0) })
    }

    /// Whether a value outlives the request that it was made for.
    pub(super) fn keeps(&self) -> bool {
        !self.lifetime.is_zero()
    }

    /// The value; `make` makes a new one.
    pub(super) async fn get<F>(self: &Arc<Self>, make: impl Fn() -> F) -> Result<Arc<T>, ReadError>
    where
        F: Future<Output = Result<T, ReadError>> + Send + 'static,
    {
        let asked = Instant::now();
        let mut ended = self.ended.subscribe();
        loop {
            ended.mark_unchanged();
            if let Some(answer) = self.look(asked, &make) {
                return answer;
            }
            if ended.changed().await.is_err() {
                return Err(ReadError::Unavailable("the process is ending".to_owned()));
            }
        }
    }

    /// What can be returned at once for a request made at `asked`; starts making a new value if one is needed.
    fn look<F>(self: &Arc<Self>, asked: Instant, make: impl Fn() -> F) -> Option<Result<Arc<T>, ReadError>>
    where
        F: Future<Output = Result<T, ReadError>> + Send + 'static,
    {
        let mut state = self.state();
        let mut answer = None;
        if let Some((at, value)) = &state.made {
            let age = at.elapsed();
            if *at >= asked || age < self.lifetime {
                return Some(Ok(value.clone()));
            }
            answer = (age < self.lifetime * STALE_LIFETIMES).then(|| Ok(value.clone()));
        }
        if answer.is_none()
            && let Some((at, error)) = &state.failed
            && *at >= asked
        {
            return Some(Err(error.clone()));
        }
        if !state.is_running {
            state.is_running = true;
            let (this, making, began) = (self.clone(), make(), Instant::now());
            tokio::spawn(async move {
                let ending = Ending(&this);
                let made = making.await;
                let mut state = this.state();
                match made {
                    Ok(value) => (state.made, state.failed) = (Some((began, Arc::new(value))), None),
                    Err(error) => state.failed = Some((began, error)),
                }
                drop(state);
                drop(ending);
            });
        }
        answer
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock()
    }
}

/// However making ends, even by a panic, the next may begin and waiting requests look again.
struct Ending<'a, T>(&'a Arc<Refreshed<T>>);

impl<T> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        self.0.state.lock().is_running = false;
        self.0.ended.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A maker that counts, and waits for `gate` before each.
    fn maker(
        made: &Arc<AtomicU64>,
        gate: &Arc<tokio::sync::Semaphore>,
    ) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<u64, ReadError>> + Send>> {
        let (made, gate) = (made.clone(), gate.clone());
        move || {
            let (made, gate) = (made.clone(), gate.clone());
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Ok(made.fetch_add(1, Ordering::SeqCst) + 1)
            })
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_and_the_old_is_given_meanwhile() {
        let (made, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
        let make = maker(&made, &gate);
        let value = Refreshed::new(Duration::from_millis(200));
        let asking = futures_util::future::join_all((0..20).map(|_| value.get(&make)));
        gate.add_permits(1);
        assert!(asking.await.into_iter().all(|answer| *answer.unwrap() == 1));
        // Too old: it is returned at once anyway, and a new one is made in the background.
        let (at, one) = value.state().made.clone().unwrap();
        value.state().made = Some((at - Duration::from_millis(300), one.clone()));
        assert_eq!((*value.get(&make).await.unwrap(), *value.get(&make).await.unwrap()), (1, 1));
        gate.add_permits(1);
        while *value.get(&make).await.unwrap() == 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(made.load(Ordering::SeqCst), 2);
        // Far too old: the request waits.
        value.state().made = Some((at - Duration::from_secs(3), one));
        gate.add_permits(1);
        assert_eq!(*value.get(&make).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn without_a_lifetime_each_is_made_after_the_question() {
        let (made, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(tokio::sync::Semaphore::new(100)));
        let make = maker(&made, &gate);
        let value = Refreshed::new(Duration::ZERO);
        for expected in 1..5 {
            assert_eq!(*value.get(&make).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn errors_are_told_and_not_kept() {
        let value = Refreshed::new(Duration::from_secs(60));
        let fail = || async { Err::<u64, _>(ReadError::Unavailable("away".to_owned())) };
        assert!(value.get(fail).await.is_err());
        assert_eq!(*value.get(|| async { Ok(7) }).await.unwrap(), 7);
    }
}
