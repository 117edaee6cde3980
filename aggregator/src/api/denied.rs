//! Why a request is not answered, as a problem that names the remedy.

use http::StatusCode;

use super::error::Kind;
use crate::tokens::{Denied, Role};

pub(super) fn kind(denied: &Denied) -> Kind {
    use StatusCode as S;
    match denied {
        Denied::BadToken { .. } => (S::UNAUTHORIZED, "bad-token", "A valid token is needed"),
        Denied::Expired { .. } => (S::UNAUTHORIZED, "token-expired", "The token's time is over"),
        Denied::Revoked { .. } => (S::UNAUTHORIZED, "token-revoked", "The token was taken back"),
        Denied::WrongRole { .. } => (
            S::FORBIDDEN,
            "wrong-role",
            "The token is for something else",
        ),
        Denied::OutOfScope { .. } => (
            S::FORBIDDEN,
            "out-of-scope",
            "The token is limited to applications",
        ),
        Denied::NoAdminToken => (
            S::FORBIDDEN,
            "no-admin-token",
            "Nobody may change anything here",
        ),
        Denied::ForeignHost => (
            S::FORBIDDEN,
            "foreign-host",
            "Only this machine may ask without a token",
        ),
    }
}

pub(super) fn detail(denied: &Denied) -> String {
    match denied {
        Denied::BadToken { .. } => "the request carries no valid `Authorization: Bearer`".into(),
        Denied::Expired { token } => format!("the token `{token}` has expired"),
        Denied::Revoked { token } => format!("the token `{token}` was revoked"),
        Denied::WrongRole {
            token,
            role,
            needed,
        } => format!(
            "the token `{token}` has the role {}, and this takes {}",
            role.name(),
            needed.name()
        ),
        Denied::OutOfScope { token, what } => format!("of the token `{token}`: {what}"),
        Denied::NoAdminToken => "there is no admin token".into(),
        Denied::ForeignHost => "the request is for another host than the loopback".into(),
    }
}

fn variable(role: Role) -> &'static str {
    match role {
        Role::Ingest => crate::config::INGEST_TOKEN,
        Role::Read => crate::config::READ_TOKEN,
        Role::Admin => crate::config::ADMIN_TOKEN,
    }
}

pub(super) fn remedy(denied: &Denied) -> String {
    match denied {
        Denied::BadToken { needed } | Denied::WrongRole { needed, .. } => format!(
            "send the value of {} as bearer token, or one of `throughline token create NAME --role \
             {}`",
            variable(*needed),
            needed.name()
        ),
        Denied::Expired { .. } | Denied::Revoked { .. } => {
            "ask for another: `throughline token create` makes it".into()
        }
        Denied::OutOfScope { .. } => {
            "ask for its own applications only, or use a token without --app".into()
        }
        Denied::NoAdminToken => {
            "make one with `throughline token create NAME --role admin`, or start the service with \
             THROUGHLINE_ADMIN_TOKEN in its environment, and send it as bearer token"
                .into()
        }
        Denied::ForeignHost => {
            "ask for 127.0.0.1 or localhost, or send a token: `throughline token create NAME --role \
             read` makes one"
                .into()
        }
    }
}
