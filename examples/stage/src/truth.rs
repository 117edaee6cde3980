//! Who was who, by request; only `score` asks.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// One true client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Its name, e.g. `scraper-3`.
    pub client: String,
    /// `person`, `machine` or `bot`.
    pub class: String,
    /// What it plays.
    pub actor: String,
}

/// The truth about a run.
#[derive(Debug, Default)]
pub struct Truth {
    /// All clients that sent something.
    pub clients: Vec<Client>,
    /// `x-request-id` → index of the client.
    requests: HashMap<Box<str>, usize>,
}

#[derive(Deserialize)]
struct Line<'a> {
    r#type: &'a str,
    request_id: Option<&'a str>,
    client: &'a str,
    class: &'a str,
    actor: &'a str,
}

impl Truth {
    /// Reads what the actors wrote.
    ///
    /// # Errors
    /// When a line is not as they write it.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut truth = Self::default();
        let mut numbers = HashMap::<Box<str>, usize>::new();
        for line in bytes
            .split(|byte| *byte == b'\n')
            .filter(|it| !it.is_empty())
        {
            let line: Line<'_> = serde_json::from_slice(line)?;
            let number = numbers.get(line.client).copied().unwrap_or_else(|| {
                truth.clients.push(Client {
                    client: line.client.to_owned(),
                    class: line.class.to_owned(),
                    actor: line.actor.to_owned(),
                });
                numbers.insert(line.client.into(), truth.clients.len() - 1);
                truth.clients.len() - 1
            });
            if let Some(id) = line.request_id.filter(|_| line.r#type == "request") {
                truth.requests.insert(id.into(), number);
            }
        }
        Ok(truth)
    }

    /// The client that sent the request of this `x-request-id`.
    #[must_use]
    pub fn client_of(&self, request_id: &str) -> Option<usize> {
        self.requests.get(request_id).copied()
    }

    /// Requests that were sent.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.len()
    }
}
