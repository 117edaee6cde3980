//! Key rules that need no configuration: where well-known frameworks keep the session.
//!
//! Their names start with `builtin-`, which a user's may not. They come after the user's rules. A JWT's `sub` is not among them on purpose: anyone can write
//! one, so it may name a user (a parameter), but not open a session.

use super::document::KeyRule;
use crate::extract::{Place, Source};

/// What the names of built-in rules start with on records.
pub(super) const PREFIX: &str = "builtin-";

/// Rule name, and where the value is.
const ALL: [(&str, Where); 20] = [
    ("bearer", Where::Bearer),
    ("x-session-id", Where::Header),
    ("x-session-token", Where::Header),
    ("x-auth-token", Where::Header),
    ("x-access-token", Where::Header),
    ("jsessionid", Where::Cookie("JSESSIONID")),
    ("phpsessid", Where::Cookie("PHPSESSID")),
    ("asp-net-sessionid", Where::Cookie("ASP.NET_SessionId")),
    ("aspnetcore-cookies", Where::Cookie(".AspNetCore.Cookies")),
    ("connect-sid", Where::Cookie("connect.sid")),
    ("sessionid", Where::Cookie("sessionid")),
    ("laravel-session", Where::Cookie("laravel_session")),
    ("rails-session", Where::Cookie("_session_id")),
    ("ci-session", Where::Cookie("ci_session")),
    ("next-auth", Where::Cookie("next-auth.session-token")),
    (
        "next-auth-secure",
        Where::Cookie("__Secure-next-auth.session-token"),
    ),
    ("session", Where::Cookie("session")),
    ("session-id", Where::Cookie("session_id")),
    ("sid", Where::Cookie("sid")),
    ("x-api-key", Where::Header),
];

#[derive(Clone, Copy)]
enum Where {
    Bearer,
    /// Of the rule's name.
    Header,
    Cookie(&'static str),
}

/// Whether a built-in rule has this name, or it is `*`.
pub(super) fn is_known(name: &str) -> bool {
    name == "*" || ALL.iter().any(|(known, _)| *known == name)
}

/// All names, for an error.
pub(super) fn names() -> String {
    ALL.map(|(name, _)| name).join(", ")
}

/// The rules that are not switched off and look at no place that a user's rule looks at.
pub(super) fn rules(off: &[String], users: &[KeyRule]) -> Vec<KeyRule> {
    let is_on = |name: &str| !off.iter().any(|off| off == name || off == "*");
    let is_taken = |rule: &KeyRule| users.iter().any(|user| user.from == rule.from);
    let rule = |(name, place): &(&str, Where)| KeyRule {
        name: format!("{PREFIX}{name}"),
        from: vec![Source {
            place: match place {
                Where::Bearer => Place::Bearer,
                Where::Header => Place::Header((*name).to_owned()),
                Where::Cookie(cookie) => Place::Cookie((*cookie).to_owned()),
            },
            decode: Vec::new(),
            in_response: false,
        }],
        namespace: None,
        applications: Vec::new(),
        hosts: Vec::new(),
        path_prefixes: Vec::new(),
        methods: Vec::new(),
    };
    ALL.iter()
        .filter(|(name, _)| is_on(name))
        .map(rule)
        .filter(|rule| !is_taken(rule))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_switched_off() {
        assert_eq!(rules(&[], &[]).len(), ALL.len());
        let off = ["bearer".to_owned()];
        assert!(
            rules(&off, &[])
                .iter()
                .all(|rule| rule.name != "builtin-bearer")
        );
        assert_eq!(rules(&off, &[]).len(), ALL.len() - 1);
        assert!(rules(&["*".to_owned()], &[]).is_empty());
    }

    #[test]
    fn a_place_that_a_user_named_is_the_users() {
        let user = KeyRule {
            name: "mine".to_owned(),
            ..rules(&[], &[]).remove(0)
        };
        assert!(
            rules(&[], &[user])
                .iter()
                .all(|rule| rule.name != "builtin-bearer")
        );
    }
}
