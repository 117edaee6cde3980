//! people → log: what they decide about detection, put where detection reads it.

use std::time::Duration;

use super::App;
use crate::log::Refusal;
use crate::verdicts::Ruling;

/// How long an answer waits until what was decided can be read in the store.
const SEEN_TIME: Duration = Duration::from_secs(2);

impl App {
    /// Has the log take a ruling; it is durable and has its place among the records then.
    ///
    /// # Errors
    /// When the log refuses.
    pub async fn rule(&self, ruling: &Ruling) -> Result<(), Refusal> {
        let batch = ruling.batch(self.clock.now_us(), self.budget.room());
        self.log.append(batch).await?;
        // Whoever asks next is to find it: a courtesy, as it is durable already.
        let end = self.log.state().end;
        let seen = async {
            while self.health.position() < end {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        drop(tokio::time::timeout(SEEN_TIME, seen).await);
        Ok(())
    }

    /// Tells detection how applications are watched, if that has changed.
    pub async fn announce_profiles(&self) {
        let mut announced = self.announced.lock().await;
        let profiles = self.policies.profiles();
        if announced.is_none() {
            // What was told before the start counts, once it was read again.
            let standing = self.detection.get();
            if !standing.caught_up {
                return;
            }
            if standing.policy_version == profiles.policy_version {
                *announced = Some(profiles);
                return;
            }
        }
        if announced.as_ref() == Some(&profiles) {
            return;
        }
        match self.rule(&Ruling::Profiles(profiles.clone())).await {
            Ok(()) => {
                let version = profiles.policy_version.as_deref().unwrap_or("none");
                tracing::info!(policy_version = version, "detection follows the policy");
                *announced = Some(profiles);
            }
            Err(error) => tracing::warn!(%error, "detection does not follow the policy yet"),
        }
    }
}
