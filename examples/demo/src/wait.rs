//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::bail;

const PAUSE: Duration = Duration::from_millis(25);

/// Asks `condition` again and again until it gives a value.
///
/// # Errors
/// After `limit`: an error that names `what` did not happen.
pub async fn eventually<T, F>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("not within {} s: {what}", limit.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
