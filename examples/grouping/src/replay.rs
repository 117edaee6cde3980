//! recording → batches: the filter's own code under an arm's policy, the same bytes for each arm.

use stage::filter::{Filter, SECRET, plugin_with};

use crate::record::Recording;

/// The batches that two workers of an Envoy would send, in the order of the log.
///
/// # Errors
/// When the policy cannot be used, or a record was dropped.
pub fn replay(recording: &Recording, policy: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    replay_with(recording, policy, SECRET)
}

/// The same with another session secret, such as a real Envoy's.
///
/// # Errors
/// See [`replay`].
pub fn replay_with(
    recording: &Recording,
    policy: &str,
    secret: &str,
) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut filter = Filter::configured(recording.seed, &plugin_with(policy)?, secret)?;
    let mut batches = Vec::new();
    for passing in &recording.passing {
        batches.extend(filter.pass(passing.clone())?);
    }
    batches.extend(filter.finish()?);
    Ok(batches)
}
