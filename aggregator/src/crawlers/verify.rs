//! question → answer → log, in the background.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;

use super::{Answer, Confirmation, Inquiries, Names, Question};
use crate::api::App;
use crate::verdicts::Ruling;

/// Questions that are asked at the same time.
const AT_ONCE: usize = 8;

/// Answers questions until nobody can put any more, or the service is closed. The servers are those of `--dns`, or the system's,
/// which are read when the first question comes.
pub async fn verify(
    app: Weak<App>,
    inquiries: Arc<Inquiries>,
    mut questions: Receiver<Question>,
    servers: Vec<SocketAddr>,
) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut known: Option<Names> = None;
    while let Some(question) = questions.recv().await {
        if app.strong_count() == 0 {
            return;
        }
        let names = match known.take().map_or_else(|| Names::new(&servers), Ok) {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(%error, "crawlers that the policy names are not confirmed");
                inquiries.settle(&question, &Answer::Silent);
                continue;
            }
        };
        known = Some(names.clone());
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let (app, inquiries) = (Weak::clone(&app), Arc::clone(&inquiries));
        drop(tokio::spawn(async move {
            let answer = names.ask(&question).await;
            drop(slot);
            tracing::debug!(address = %question.address, ?answer, "looked up a crawler's name");
            let recorded = match &answer {
                Answer::Confirmed(domain) => record(&app, &question, domain).await,
                Answer::Refuted | Answer::Silent => true,
            };
            let known = if recorded { answer } else { Answer::Silent };
            inquiries.settle(&question, &known);
        }));
    }
}

/// Writes into the log what was confirmed; whether the log took it.
async fn record(app: &Weak<App>, question: &Question, domain: &str) -> bool {
    let Some(app) = app.upgrade() else {
        return false;
    };
    let address = question.address;
    let confirmation = Confirmation {
        address,
        domain: domain.to_owned(),
        at_us: app.clock.now_us(),
    };
    match app.rule(&Ruling::Crawler(confirmation)).await {
        Ok(()) => {
            tracing::info!(%address, domain, "a crawler is who it says");
            true
        }
        Err(error) => {
            tracing::warn!(%error, %address, "a confirmed crawler cannot be recorded yet");
            false
        }
    }
}
