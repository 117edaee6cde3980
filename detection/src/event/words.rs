//! What a path says by its words alone: a login, or a probe for what nobody links to.

/// Words in the path of a write that make it a login.
const LOGIN: &[&str] = &[
    "login",
    "signin",
    "sign-in",
    "sign_in",
    "logon",
    "authenticate",
    "auth",
    "session",
    "sessions",
    "token",
    "wp-login.php",
    "xmlrpc.php",
];

/// Whether a write to this path is an attempt to log in.
pub(crate) fn is_login(path: &str) -> bool {
    let mut words = path.rsplit('/').filter(|word| !word.is_empty());
    words.next().is_some_and(|word| {
        let word = word.split('.').next().unwrap_or(word);
        LOGIN
            .iter()
            .any(|login| word.eq_ignore_ascii_case(login.trim_end_matches(".php")))
    })
}

/// Parts of paths that nothing links to: configuration, version control, other software's admin.
const PROBES: &[&str] = &[
    "/.env",
    "/.git",
    "/.svn",
    "/.aws",
    "/.ssh",
    "/.htaccess",
    "/.htpasswd",
    "/wp-admin",
    "/wp-login",
    "/wp-content",
    "/wp-includes",
    "/xmlrpc.php",
    "/phpmyadmin",
    "/phpinfo",
    "/actuator",
    "/server-status",
    "/cgi-bin/",
    "/etc/passwd",
    "/.well-known/../",
    "/backup.",
    "/config.php",
    "/config.json",
    "/console/",
    "/manager/html",
    "/solr/",
    "/jenkins",
    "/druid/",
    "/vendor/phpunit",
    "/_ignition",
    "/HNAP1",
    "/boaform",
    "/setup.php",
    "/shell",
    "/swagger",
    "/api-docs",
    "/debug/pprof",
    "/dump.sql",
    "/id_rsa",
    "/web.config",
    "/adminer",
];

/// Whether a path is one that only scanners ask for; it counts only where it is missed.
pub(crate) fn is_probe(path: &str) -> bool {
    PROBES.iter().any(|probe| path.contains(probe))
}

#[cfg(test)]
mod tests {
    use super::is_login;

    #[test]
    fn knows_logins() {
        for (path, expected) in [
            ("/api/login", true),
            ("/users/sign_in", true),
            ("/oauth/token", true),
            ("/wp-login.php", true),
            ("/api/token/refresh", false),
            ("/api/logout", false),
            ("/login/help", false),
            ("/", false),
        ] {
            assert_eq!(is_login(path), expected, "{path}");
        }
    }
}
