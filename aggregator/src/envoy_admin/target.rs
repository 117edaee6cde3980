//! The address of an admin interface, as it is given on the command line.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// An Envoy's admin interface, and which of its listeners count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Scheme, host and port, without a slash at the end.
    pub admin: String,
    /// The one `stat_prefix` to count; all but `admin` and `async-client` when absent.
    pub prefix: Option<String>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('#') {
            Some((address, prefix)) => (address, Some(prefix.to_owned())),
            None => (text, None),
        };
        let uri: Uri = address.parse().map_err(|error| format!("{error}"))?;
        let authority = uri
            .authority()
            .ok_or("expected a URL such as http://127.0.0.1:9901")?;
        if uri.scheme_str() != Some("http") {
            return Err("only http:// is supported: the admin interface has no TLS".into());
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err("expected no path: the admin interface is asked for /stats".into());
        }
        if prefix.as_deref() == Some("") {
            return Err("expected a stat_prefix after #".into());
        }
        Ok(Self {
            admin: format!("http://{authority}"),
            prefix,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.prefix {
            Some(prefix) => write!(formatter, "{}#{prefix}", self.admin),
            None => formatter.write_str(&self.admin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for (text, expected) in [
            ("http://127.0.0.1:9901", Ok("http://127.0.0.1:9901")),
            ("http://envoy:9901/", Ok("http://envoy:9901")),
            ("http://[::1]:9901#ingress", Ok("http://[::1]:9901#ingress")),
            ("http://envoy:9901/stats", Err("no path")),
            ("https://envoy:9901", Err("no TLS")),
            ("127.0.0.1:9901", Err("http://")),
            ("http://envoy:9901#", Err("stat_prefix")),
            ("", Err("")),
        ] {
            match (text.parse::<Target>(), expected) {
                (Ok(target), Ok(expected)) => assert_eq!(target.to_string(), expected),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (outcome, _) => panic!("{text}: {outcome:?}"),
            }
        }
    }
}
