//! What others have the compactor do: pin, and forget.

use std::sync::mpsc::Sender;

use throughline_session::wire::SessionId;
use tokio::sync::oneshot;

use super::forget;
use crate::store::database::{Database, StoreError};

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
    Pin(SessionId, String, Answer<()>),
    Unpin(SessionId, Answer<()>),
    Forget(Whose, String, Answer<u64>),
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

    /// Keeps a session beyond its time; `author` is who wants that.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn pin(&self, session: SessionId, author: &str) -> Result<(), StoreError> {
        let author = author.to_owned();
        self.ask(|answer| Errand::Pin(session, author, answer))
            .await
    }

    /// Lets a session go when its time has come.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn unpin(&self, session: SessionId) -> Result<(), StoreError> {
        self.ask(|answer| Errand::Unpin(session, answer)).await
    }

    /// Takes what is stored of somebody out of all answers, and has it deleted from the disk;
    /// gives how many sessions that are. What arrives later is stored again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget(&self, whose: Whose, author: &str) -> Result<u64, StoreError> {
        let author = author.to_owned();
        self.ask(|answer| Errand::Forget(whose, author, answer))
            .await
    }
}

impl Errand {
    /// Whether it concerns what is on its way to the store too.
    pub(super) fn deletes(&self) -> bool {
        matches!(self, Self::Forget(..))
    }

    pub(super) fn run(self, database: &Database, now_us: i64) {
        // Whoever asked may have gone.
        match self {
            Self::Pin(session, author, answer) => {
                drop(answer.send(forget::pin(database, session, &author, now_us)));
            }
            Self::Unpin(session, answer) => drop(answer.send(forget::unpin(database, session))),
            Self::Forget(whose, author, answer) => {
                drop(answer.send(forget::hide(database, &whose, &author, now_us)));
            }
            Self::Stop => {}
        }
    }
}
