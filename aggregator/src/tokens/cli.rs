//! `throughline token`: makes, lists and revokes tokens in the data folder.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use throughline_session::hex::Hex;

use super::file::{Change, Contents, Event, Stored, TOKENS_MAX, TokenFile, Writing};
use super::{Role, Scope};
use crate::clock::Clock;
use crate::config::units;
use crate::table::Table;
use crate::time;

/// Longest name of a token, letters.
const NAME_LEN_MAX: usize = 64;
/// Applications that one token is limited to.
const APPLICATIONS_MAX: usize = 64;

/// `throughline token …`
#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make a token and show it, once; a running service accepts it from now on.
    Create {
        /// Who or what will send it, e.g. `grafana`.
        name: String,
        /// What it is for.
        #[arg(long, value_enum)]
        role: Role,
        /// Limits it to an application; repeatable. Without it: all of them.
        #[arg(long = "app", value_name = "APPLICATION")]
        applications: Vec<String>,
        /// It is refused after this long (h, d); without it: never.
        #[arg(long, value_parser = units::duration, value_name = "DURATION")]
        expires: Option<Duration>,
        /// Where, who and why.
        #[command(flatten)]
        by: By,
    },
    /// List all tokens; their secrets are not kept.
    List {
        /// Where.
        #[command(flatten)]
        place: Place,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back: a running service refuses it from now on.
    Revoke {
        /// Its id or name, as `throughline token list` shows it.
        token: String,
        /// Where, who and why.
        #[command(flatten)]
        by: By,
    },
}

/// Where the tokens are.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The service's data folder.
    #[arg(
        long,
        env = "THROUGHLINE_DATA",
        default_value = "./data",
        value_name = "FOLDER"
    )]
    data: PathBuf,
}

/// Where, who and why.
#[derive(Debug, clap::Args)]
pub struct By {
    #[command(flatten)]
    place: Place,
    /// Who you are, for the audit log.
    #[arg(long, env = "USER", default_value = "admin")]
    author: String,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    comment: String,
}

impl Place {
    fn folder(&self) -> anyhow::Result<&Path> {
        if !self.data.is_dir() {
            bail!(
                "there is no data folder {}: name the one that `throughline serve` has with --data, \
                 or make it first",
                self.data.display()
            );
        }
        Ok(&self.data)
    }
}

/// Does it; what is to be printed.
///
/// # Errors
/// What is wrong, in words that say what to do.
pub fn run(command: &TokenCommand, clock: &dyn Clock) -> anyhow::Result<String> {
    let now_us = clock.now_us();
    match command {
        TokenCommand::Create {
            name,
            role,
            applications,
            expires,
            by,
        } => {
            check(name, *role, applications)?;
            let expires_us = expires.map(|it| now_us.saturating_add(units::micros(it)));
            create(name, *role, applications, expires_us, by, now_us)
        }
        TokenCommand::List { place, json } => {
            let file = TokenFile::open(place.folder()?)?;
            Ok(list(&file.contents(), *json, now_us))
        }
        TokenCommand::Revoke { token, by } => revoke(token, by, now_us),
    }
}

fn check(name: &str, role: Role, applications: &[String]) -> anyhow::Result<()> {
    let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    if !plain(name) || name.chars().count() > NAME_LEN_MAX {
        bail!("a name has 1 to {NAME_LEN_MAX} letters");
    }
    if applications.len() > APPLICATIONS_MAX || !applications.iter().all(|it| plain(it)) {
        bail!("a token is limited to at most {APPLICATIONS_MAX} applications, each with a name");
    }
    if role == Role::Admin && !applications.is_empty() {
        bail!(
            "an admin token cannot be limited to applications: the policy is about all of them; \
             leave --app out, or make a read token"
        );
    }
    Ok(())
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes)
}

fn create(
    name: &str,
    role: Role,
    applications: &[String],
    expires_us: Option<i64>,
    by: &By,
    now_us: i64,
) -> anyhow::Result<String> {
    let mut file = Writing::open(by.place.folder()?)?;
    let mut live = file
        .contents
        .tokens
        .iter()
        .filter(|token| token.is_live(now_us));
    if live.clone().count() >= TOKENS_MAX {
        bail!("there are {TOKENS_MAX} tokens: revoke one first");
    }
    if live.any(|token| token.grant.name == name) {
        bail!("there is a token `{name}` already: choose another name, or revoke it first");
    }
    let secret = format!(
        "tl_{}_{}",
        role.name(),
        URL_SAFE_NO_PAD.encode(random::<32>()?)
    );
    let id = Hex(random()?);
    file.append(&Event {
        at_us: now_us,
        author: by.author.clone(),
        comment: by.comment.clone(),
        id,
        change: Change::Created {
            name: name.to_owned(),
            role,
            applications: applications.to_vec(),
            expires_us,
            sha256: Hex(Sha256::digest(secret.as_bytes()).into()),
        },
    })?;
    // Not into a pipe that takes the token.
    let note = format!("token {id} ({name}); it is shown this once and kept as a hash");
    drop(writeln!(std::io::stderr(), "{note}"));
    Ok(secret)
}

fn revoke(wanted: &str, by: &By, now_us: i64) -> anyhow::Result<String> {
    let mut file = Writing::open(by.place.folder()?)?;
    let is_meant = |token: &&Stored| token.id.to_string() == wanted || token.grant.name == wanted;
    let mut live = file
        .contents
        .tokens
        .iter()
        .filter(|token| token.revoked_us.is_none());
    let Some(token) = live.find(is_meant) else {
        bail!("there is no token `{wanted}` to be revoked: `throughline token list` shows them");
    };
    let (id, name) = (token.id, token.grant.name.clone());
    file.append(&Event {
        at_us: now_us,
        author: by.author.clone(),
        comment: by.comment.clone(),
        id,
        change: Change::Revoked,
    })?;
    Ok(format!("revoked {id} ({name}); it is refused from now on"))
}

fn list(contents: &Contents, as_json: bool, now_us: i64) -> String {
    if as_json {
        let tokens: Vec<_> = contents
            .tokens
            .iter()
            .map(|it| as_value(it, now_us))
            .collect();
        return serde_json::to_string_pretty(&tokens).unwrap_or_default();
    }
    let mut table = Table::new(&["id", "name", "role", "applications", "state", "made", "by"]);
    for token in &contents.tokens {
        table.row([
            token.id.to_string(),
            token.grant.name.clone(),
            token.grant.role.name().to_owned(),
            applications(token).join(", "),
            state(token, now_us),
            time::text(token.created_us),
            token.author.clone(),
        ]);
    }
    if contents.tokens.is_empty() {
        return "no tokens; `throughline token create NAME --role read` makes one".into();
    }
    table.to_string()
}

fn applications(token: &Stored) -> Vec<String> {
    match &token.grant.scope {
        Scope::All => vec!["all".into()],
        Scope::Only(names) => names.to_vec(),
    }
}

fn state(token: &Stored, now_us: i64) -> String {
    match (token.revoked_us, token.expires_us) {
        (Some(at_us), _) => format!("revoked {}", time::text(at_us)),
        (None, Some(at_us)) if at_us <= now_us => format!("expired {}", time::text(at_us)),
        (None, Some(at_us)) => format!("until {}", time::text(at_us)),
        (None, None) => "live".into(),
    }
}

fn as_value(token: &Stored, now_us: i64) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": token.grant.name,
        "role": token.grant.role,
        "applications": match &token.grant.scope {
            Scope::All => json!(null),
            Scope::Only(names) => json!(names.to_vec()),
        },
        "live": token.is_live(now_us),
        "created": time::text(token.created_us),
        "author": token.author,
        "expires": token.expires_us.map(time::text),
        "revoked": token.revoked_us.map(time::text),
    })
}
