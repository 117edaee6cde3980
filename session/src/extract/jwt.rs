//! A claim of a JWT that another place holds. The signature is not checked: the upstream does
//! that; until it accepted the exchange, the claim is only what the client says.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Failure, Jwt, Outcome, Parts};

/// A larger payload is not looked into, bytes.
const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

pub(super) fn find<'a>(parts: &'a Parts<'_>, jwt: &Jwt) -> Outcome<'a> {
    match jwt.inside.find(parts) {
        Outcome::Found(token) => match claim(&token, jwt) {
            Ok(found) => found.map(Cow::Owned).into(),
            Err(failure) => Outcome::Failed(failure),
        },
        other => other,
    }
}

fn claim(token: &[u8], jwt: &Jwt) -> Result<Option<Vec<u8>>, Failure> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Failure::Jwt);
    };
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Failure::TooLong);
    }
    let unpadded = payload
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default();
    let json = URL_SAFE_NO_PAD.decode(unpadded).map_err(|_| Failure::Jwt)?;
    let claims: Value = serde_json::from_slice(&json).map_err(|_| Failure::Jwt)?;
    Ok(jwt.claim.find(&claims))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::extract::Failure;
    use crate::extract::tests::Case;

    fn token(payload: &str) -> String {
        format!(
            "eyJhbGciOiJIUzI1NiJ9.{}.c2ln",
            URL_SAFE_NO_PAD.encode(payload)
        )
    }

    fn case(claim: &str, token: &str) -> Case {
        Case::new(&format!(
            r#"{{"jwt":{{"claim":"{claim}","in":{{"bearer":{{}}}}}}}}"#
        ))
        .header("authorization", &format!("Bearer {token}"))
    }

    #[test]
    fn finds_a_claim() {
        for (claim, payload, expected) in [
            ("sub", r#"{"sub":"u-1"}"#, "u-1"),
            ("sub", r#"{"sub":17}"#, "17"),
            ("sid", r#"{"sid":"s","sub":"u"}"#, "s"),
            ("/realm/role", r#"{"realm":{"role":"admin"}}"#, "admin"),
            ("roles", r#"{"roles":["a","b"]}"#, "a,b"),
            (
                "https://x.example/id",
                r#"{"https://x.example/id":"u"}"#,
                "u",
            ),
            ("admin", r#"{"admin":false}"#, "false"),
            ("sub", r#"{"sub":"ünï"}"#, "ünï"),
            ("/aud/0", r#"{"aud":["api"]}"#, "api"),
            ("sub", r#" { "sub" : "u" } "#, "u"),
        ] {
            case(claim, &token(payload)).finds(expected);
        }
        let padded = token(r#"{"sub":"u"}"#).replacen(".c2ln", "=.c2ln", 1);
        case("sub", &padded).finds("u");
    }

    #[test]
    fn a_missing_claim_is_missing() {
        for payload in [
            "{}",
            r#"{"sub":null}"#,
            r#"{"sub":""}"#,
            r#"{"sub":"null"}"#,
            r#"{"SUB":"u"}"#,
            "[]",
            r#""sub""#,
            "17",
            r#"{"sub":{}}"#,
            r#"{"sub":0}"#,
        ] {
            case("sub", &token(payload)).finds_nothing();
        }
        Case::new(r#"{"jwt":{"claim":"sub","in":{"cookie":"jwt"}}}"#).finds_nothing();
    }

    #[test]
    fn what_is_no_jwt_fails() {
        for bad in [
            "opaque",
            "a.b",
            "a.b.c.d",
            "a.!!!.c",
            "a..c",
            "a.e30x.c",
            "...",
            "a.eyJ.c",
            "a.eyJzdWIi.c",
            "a./+==.c",
        ] {
            case("sub", bad).fails(Failure::Jwt);
        }
        let long = format!("a.{}.c", "a".repeat(20_000));
        case("sub", &long).fails(Failure::TooLong);
    }

    #[test]
    fn reads_other_places() {
        let jwt = token(r#"{"sub":"u"}"#);
        Case::new(r#"{"jwt":{"claim":"sub","in":{"cookie":"jwt"}}}"#)
            .header("cookie", &format!("jwt={jwt}"))
            .finds("u");
        Case::new(r#"{"response":{"jwt":{"claim":"sub","in":{"json":"/token"}}}}"#)
            .response_body(
                "application/json",
                format!(r#"{{"token":"{jwt}"}}"#).as_bytes(),
            )
            .finds("u");
    }
}
