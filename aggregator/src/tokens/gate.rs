//! Holds a request against the tokens there are.

use std::net::IpAddr;
use std::path::Path;

use http::HeaderMap;
use http::header::HOST;
use http::uri::Authority;

use super::file::{Contents, TokenFile};
use super::secret::given;
use super::{Grant, Role, Scope};
use crate::config::{ADMIN_TOKEN, ConfigError, INGEST_TOKEN, READ_TOKEN, Tokens};

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// No token, or one that nobody made.
    BadToken {
        /// What is needed.
        needed: Role,
    },
    /// Its time is over.
    Expired {
        /// Its name.
        token: String,
    },
    /// Somebody took it back.
    Revoked {
        /// Its name.
        token: String,
    },
    /// It is for something else.
    WrongRole {
        /// Its name.
        token: String,
        /// What it is for.
        role: Role,
        /// What is needed.
        needed: Role,
    },
    /// It is limited to applications, and this is about others too.
    OutOfScope {
        /// Its name.
        token: String,
        /// What is not its own.
        what: String,
    },
    /// Changes need a token that nobody has.
    NoAdminToken,
    /// Without a token, a request for a host that is not this machine.
    ForeignHost,
}

/// Who may ask.
#[derive(Debug)]
pub struct Gate {
    environment: Tokens,
    file: TokenFile,
}

impl Gate {
    /// The environment's tokens, and those of the file in `data`.
    ///
    /// # Errors
    /// When the file cannot be read, or no filter could send anything.
    pub fn open(data: &Path, environment: Tokens, now_us: i64) -> anyhow::Result<Self> {
        let file = TokenFile::open(data)?;
        let contents = file.contents();
        if environment.ingest.is_none() && !contents.has(Role::Ingest, now_us) {
            return Err(ConfigError::IngestTokenMissing.into());
        }
        let reads = environment.read.is_some() || environment.admin.is_some();
        if !reads && !environment.development && !contents.has(Role::Read, now_us) {
            tracing::warn!(
                "there is no token to read with: make one with `throughline token create NAME \
                 --role read`, or set {READ_TOKEN}"
            );
        }
        Ok(Self { environment, file })
    }

    /// Every token made and revoked.
    pub fn contents(&self) -> std::sync::Arc<Contents> {
        self.file.contents()
    }

    /// What a request with `headers` may do, which must be `needed`.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(&self, headers: &HeaderMap, needed: Role, now_us: i64) -> Result<Grant, Denied> {
        let known = self.known(headers, now_us);
        match known {
            Ok(Some(grant)) if grant.role.allows(needed) => return Ok(grant),
            _ if needed == Role::Read && self.environment.development => {
                return development(headers);
            }
            _ if needed == Role::Admin && self.nobody_may_change(now_us) => {
                return Err(Denied::NoAdminToken);
            }
            _ => {}
        }
        Err(match known? {
            Some(grant) => Denied::WrongRole {
                token: grant.name,
                role: grant.role,
                needed,
            },
            None => Denied::BadToken { needed },
        })
    }

    fn nobody_may_change(&self, now_us: i64) -> bool {
        self.environment.admin.is_none() && !self.contents().has(Role::Admin, now_us)
    }

    /// The token that the request brings; `None` where nobody made it.
    fn known(&self, headers: &HeaderMap, now_us: i64) -> Result<Option<Grant>, Denied> {
        let Some(hash) = given(headers) else {
            return Ok(None);
        };
        let tokens = &self.environment;
        for (token, name, role) in [
            (&tokens.read, READ_TOKEN, Role::Read),
            (&tokens.ingest, INGEST_TOKEN, Role::Ingest),
            (&tokens.admin, ADMIN_TOKEN, Role::Admin),
        ] {
            if token.as_ref().is_some_and(|token| token.admits(headers)) {
                return Ok(Some(Grant {
                    name: name.into(),
                    role,
                    scope: Scope::All,
                }));
            }
        }
        let contents = self.contents();
        let Some(stored) = contents.find(&hash) else {
            return Ok(None);
        };
        let token = stored.grant.name.clone();
        if stored.revoked_us.is_some() {
            return Err(Denied::Revoked { token });
        }
        if !stored.is_live(now_us) {
            return Err(Denied::Expired { token });
        }
        Ok(Some(stored.grant.clone()))
    }
}

/// Anyone on this machine may read.
fn development(headers: &HeaderMap) -> Result<Grant, Denied> {
    // A page of another site may have its name resolved to the loopback, and its scripts then ask
    // here; the browser says for which host.
    if !is_for_loopback(headers) {
        return Err(Denied::ForeignHost);
    }
    Ok(Grant {
        name: "--development".into(),
        role: Role::Read,
        scope: Scope::All,
    })
}

fn is_for_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else {
        return true;
    };
    let authority = host
        .to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}
