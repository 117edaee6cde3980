//! Who plays: how many clients of which actor, and where they sit.

use std::net::IpAddr;

use crate::actors::{self, Actor};

/// What the usual cast is called in one chosen by hand.
const EVERYBODY: &str = "everybody";

/// Clients of one actor.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Who.
    pub actor: &'static Actor,
    /// How many at the same time.
    pub clients: u32,
    /// One address for all of them, as behind a company's gateway; otherwise each has its own.
    pub place: Option<IpAddr>,
}

/// All parts.
#[derive(Clone, Debug)]
pub struct Cast {
    /// In the order of [`actors::ALL`] unless chosen by hand.
    pub parts: Vec<Part>,
}

/// Why a cast could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CastError {
    /// Not of the form `actor=N` or `actor=N@IP`.
    Form(String),
    /// No such actor.
    Actor(String),
}

impl std::fmt::Display for CastError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Form(part) => write!(f, "`{part}` is not of the form actor=N or actor=N@IP"),
            Self::Actor(name) => write!(f, "there is no actor `{name}`; see --list"),
        }
    }
}

impl std::error::Error for CastError {}

impl Cast {
    /// Everybody, `scale` times as many as usual, at least one of each.
    #[must_use]
    pub fn everybody(scale: f64) -> Self {
        let parts = actors::ALL.iter().map(|actor| Part {
            actor,
            clients: scaled(actor.clients, scale),
            place: None,
        });
        Self {
            parts: parts.collect(),
        }
    }

    /// A cast chosen by hand: `actor=N` or `actor=N@IP`, separated by commas; `everybody` stands for
    /// the usual cast, to which others can be added.
    ///
    /// # Errors
    /// See [`CastError`].
    pub fn parse(text: &str) -> Result<Self, CastError> {
        let part = |part: &str| {
            let form = || CastError::Form(part.to_owned());
            let (name, rest) = part.split_once('=').ok_or_else(form)?;
            let (clients, place) = match rest.split_once('@') {
                Some((clients, ip)) => (clients, Some(ip.parse().map_err(|_| form())?)),
                None => (rest, None),
            };
            let clients = clients.parse().map_err(|_| form())?;
            let actor = actors::find(name).ok_or_else(|| CastError::Actor(name.to_owned()))?;
            Ok(Part {
                actor,
                clients,
                place,
            })
        };
        let mut parts = Vec::new();
        for text in text.split(',').map(str::trim) {
            if text == EVERYBODY {
                parts.extend(Self::everybody(1.0).parts);
            } else {
                parts.push(part(text)?);
            }
        }
        Ok(Self { parts })
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<8} {:<18} {:>7}  what it does\n",
            "class", "actor", "clients"
        );
        for part in &self.parts {
            let actor = part.actor;
            let place = part
                .place
                .map_or(String::new(), |ip| format!(" (all at {ip})"));
            text += &format!(
                "{:<8} {:<18} {:>7}  {}{place}\n",
                actor.class.name(),
                actor.name,
                part.clients,
                actor.summary
            );
        }
        text
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn scaled(clients: u32, scale: f64) -> u32 {
    (f64::from(clients) * scale).round().clamp(1.0, 10_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_are_read() {
        let cast = Cast::parse("scraper=2, credential_stuffer=1@203.0.113.7").unwrap();
        assert_eq!((cast.parts[0].clients, cast.parts[0].place), (2, None));
        assert_eq!(cast.parts[1].place, "203.0.113.7".parse().ok());
        let cast = Cast::parse("everybody, scraper=2@203.0.113.7").unwrap();
        assert_eq!(cast.parts.len(), actors::ALL.len() + 1);
        assert_eq!(cast.parts.last().unwrap().clients, 2);
        for (text, error) in [
            ("scraper", CastError::Form("scraper".to_owned())),
            ("scraper=x", CastError::Form("scraper=x".to_owned())),
            ("scraper=1@x", CastError::Form("scraper=1@x".to_owned())),
            ("nobody=1", CastError::Actor("nobody".to_owned())),
        ] {
            assert_eq!(Cast::parse(text).unwrap_err(), error);
        }
    }

    #[test]
    fn everybody_plays_at_any_scale() {
        for scale in [0.0, 0.1, 3.0] {
            let cast = Cast::everybody(scale);
            assert_eq!(cast.parts.len(), actors::ALL.len());
            assert!(cast.parts.iter().all(|part| part.clients > 0));
        }
    }
}
