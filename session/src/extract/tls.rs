//! Parts of the TLS handshake, as the proxy verified or saw them.

use super::{Outcome, Parts, Tls};

pub(super) fn find<'a>(parts: &Parts<'a>, part: Tls) -> Outcome<'a> {
    match part {
        Tls::PeerSubject => parts.tls_peer_subject.into(),
        Tls::Sni => parts.tls_sni.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::{Case, refusal};

    #[test]
    fn finds_what_the_proxy_saw() {
        for value in [
            "CN=partner-7,O=Example",
            "CN=a",
            "shop.example",
            "a",
            "CN=é",
            "emailAddress=a@b",
            "O=x",
            "CN=1",
            "00",
            "CN=null",
        ] {
            Case::new(r#"{"tls":"peer_subject"}"#)
                .tls(Some(value), None)
                .finds(value);
            Case::new(r#"{"tls":"sni"}"#)
                .tls(None, Some(value))
                .finds(value);
            Case::new(r#"{"tls":"sni"}"#)
                .tls(Some(value), None)
                .finds_nothing();
        }
        for value in [
            "",
            "0",
            "-",
            "null",
            "NULL",
            "nil",
            "none",
            "undefined",
            "NaN",
            "None",
        ] {
            Case::new(r#"{"tls":"peer_subject"}"#)
                .tls(Some(value), None)
                .finds_nothing();
        }
        assert!(refusal(r#"{"tls":"issuer"}"#).contains("unknown variant `issuer`"));
    }
}
