//! What others have the compactor do: keep what people say, and forget.

use std::sync::mpsc::Sender;

use throughline_session::wire::SessionId;
use tokio::sync::oneshot;

use super::forget;
use crate::endpoints::Documents;
use crate::store::database::{Database, StoreError};
use crate::store::desk::{self, Deed, Doer, Outcome};

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A session.
    Session(SessionId),
    /// All sessions with this value of a user parameter.
    User(String),
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum Errand {
    Deed(Deed, Doer, Answer<Outcome>),
    Forget(Whose, String, Answer<u64>),
    Quietly(Box<dyn FnOnce(&Database) + Send>),
    Stop,
}

/// Asks the compactor, whose thread alone deletes what is stored.
#[derive(Debug, Clone)]
pub struct Errands(Sender<Errand>);

impl Errands {
    pub(super) fn new(sender: Sender<Errand>) -> Self {
        Self(sender)
    }

    async fn ask<T>(&self, errand: impl FnOnce(Answer<T>) -> Errand) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(errand(answer));
        sent.map_err(|_| StoreError::NotOpen)?;
        answered.await.map_err(|_| StoreError::NotOpen)?
    }

    /// Does what people want kept or taken away.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn perform(&self, deed: Deed, doer: Doer) -> Result<Outcome, StoreError> {
        self.ask(|answer| Errand::Deed(deed, doer, answer)).await
    }

    /// Keeps a session beyond its time; `author` is who wants that.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn pin(&self, session: SessionId, author: &str) -> Result<(), StoreError> {
        let done = self.perform(Deed::Pin(session), Doer::new(author));
        done.await.map(|_| ())
    }

    /// Lets a session go when its time has come.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn unpin(&self, session: SessionId) -> Result<(), StoreError> {
        let done = self.perform(Deed::Unpin(session), Doer::new("admin"));
        done.await.map(|_| ())
    }

    /// Takes what is stored of somebody out of all answers, and has it deleted from the disk;
    /// gives how many sessions that are. What arrives later is stored again.
    ///
    /// # Errors
    /// When the database cannot be written, or [`StoreError::Behind`].
    pub async fn forget(&self, whose: Whose, author: &str) -> Result<u64, StoreError> {
        let author = author.to_owned();
        self.ask(|answer| Errand::Forget(whose, author, answer))
            .await
    }

    /// Does `work` while no segment comes or goes.
    ///
    /// # Errors
    /// When the compactor has ended.
    pub async fn quietly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|answer: Answer<T>| {
            Errand::Quietly(Box::new(move |database| {
                drop(answer.send(Ok(work(database))));
            }))
        })
        .await
    }
}

impl Errand {
    /// Whether it concerns what is on its way to the store too.
    pub(super) fn deletes(&self) -> bool {
        matches!(self, Self::Forget(..))
    }

    /// Whether no file may come or go meanwhile.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self, Self::Quietly(_))
    }

    /// Answers with `error`, where somebody is to be forgotten.
    pub(super) fn refuse(self, error: StoreError) {
        if let Self::Forget(_, _, answer) = self {
            drop(answer.send(Err(error)));
        }
    }

    pub(super) fn run(self, database: &Database, documents: &Documents, now_us: i64) {
        // Whoever asked may have gone.
        match self {
            Self::Deed(deed, doer, answer) => {
                let done = database.read().and_then(|reading| {
                    // Nobody else changes what is known of endpoints meanwhile.
                    let _turn = database.folder.turn();
                    desk::perform(&reading.connection, documents, (&deed, &doer), now_us)
                });
                drop(answer.send(done));
            }
            Self::Forget(whose, author, answer) => {
                drop(answer.send(forget::hide(database, &whose, &author, now_us)));
            }
            Self::Quietly(work) => work(database),
            Self::Stop => {}
        }
    }
}
