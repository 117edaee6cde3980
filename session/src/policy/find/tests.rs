use proptest::prelude::*;

use super::*;
use crate::body::{Body, Extent};
use crate::headers::HeaderBlock;
use crate::policy::PolicyDocument;
use crate::request::Request;

const POLICY: &str = r#"{
    "applications":[
        {"name":"admin","hosts":["shop.example"],"path_prefixes":["/admin"]},
        {"name":"shop","hosts":["shop.example","*.shop.example"]}],
    "keys":[
        {"name":"token","from":{"bearer":{}}},
        {"name":"query_token","from":{"query":"token"},"namespace":"token"},
        {"name":"login","from":{"response":{"json":"/token"}},"namespace":"token",
         "path_prefixes":["/login","/refresh"]},
        {"name":"refresh","from":{"json":"/refresh_token"},"path_prefixes":["/refresh"]},
        {"name":"pair","from":[{"header":"x-tenant"},{"header":"x-user"}]},
        {"name":"sid","from":{"cookie":"sid"},"applications":["shop"]},
        {"name":"posted","from":{"header":"x-post"},"methods":["POST"]}],
    "builtin_off":["*"],
    "parameters":[
        {"name":"user","kind":"user","from":[{"response":{"json":"/user"}},{"jwt":{"claim":"sub","in":{"bearer":{}}}}]},
        {"name":"plan","from":{"header":"x-plan"},"applications":["shop"]},
        {"name":"mail","from":{"form":"mail"},"mask":{"start":1,"end":2}},
        {"name":"card","from":{"header":"x-card"},"hash":true},
        {"name":"role","kind":"role","from":{"header":"x-role"},"bytes_max":4}]}"#;

/// An exchange, ended.
#[derive(Default)]
struct Story<'a> {
    request: &'a [(&'a str, &'a str)],
    body: (&'a str, &'a str),
    response: (&'a str, &'a str),
    ip: &'a str,
}

fn policy() -> Policy {
    let document: PolicyDocument = serde_json::from_str(POLICY).unwrap();
    Policy::new(&document, "v")
}

fn block(pairs: &[(&str, &str)]) -> HeaderBlock {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    HeaderBlock::from_pairs(&pairs)
}

/// The session at the start, and everything at the end.
fn tell(policy: &Policy, story: &Story<'_>) -> (SessionId, Late<'static>) {
    let hasher = Hasher::new(&[7; 16]).unwrap();
    let request = block(story.request);
    let early_parts = Parts {
        request: Request::new(&request),
        ..Parts::default()
    };
    let early = policy.early(&early_parts, || story.ip.as_bytes(), &hasher);
    let response = HeaderBlock::default();
    let body = |(kind, text): (&'static str, &'static str)| {
        Body::new(text.as_bytes(), Extent::Whole, kind.as_bytes(), b"")
    };
    let leak = |text: &str| -> &'static str { text.to_owned().leak() };
    let parts = Parts {
        request: Request::new(&request),
        request_body: Some(body((leak(story.body.0), leak(story.body.1)))),
        response: Some(&response),
        response_body: Some(body((leak(story.response.0), leak(story.response.1)))),
        ended: true,
        ..Parts::default()
    };
    let late = policy.late(&early, &parts, &hasher);
    let owned = |text: &str| -> &'static str { leak(text) };
    (
        early.session(),
        Late {
            application: owned(late.application),
            key: owned(late.key),
            session: late.session,
            links: late
                .links
                .iter()
                .map(|link| Link {
                    key: Cow::Borrowed(owned(&link.key)),
                    ..link.clone()
                })
                .map(|link| Link {
                    kind: link.kind,
                    session: link.session,
                    key: Cow::Owned(link.key.into_owned()),
                })
                .collect(),
            params: late
                .params
                .iter()
                .map(|param| Param {
                    name: Cow::Owned(param.name.to_string()),
                    value: Cow::Owned(param.value.to_string()),
                    ..*param
                })
                .collect(),
            hits: late.hits,
            failed: late
                .failed
                .iter()
                .map(|(name, why)| (Cow::Owned(name.to_string()), Cow::Owned(why.to_string())))
                .collect(),
        },
    )
}

fn plain(request: &[(&str, &str)], ip: &str) -> Late<'static> {
    tell(
        &policy(),
        &Story {
            request,
            ip,
            ..Story::default()
        },
    )
    .1
}

#[test]
fn the_first_rule_that_finds_a_value_wins() {
    let bearer = ("authorization", "Bearer t1");
    for (headers, application, key) in [
        (
            vec![
                (":authority", "Shop.Example:80"),
                bearer,
                ("cookie", "sid=1"),
            ],
            "shop",
            "token",
        ),
        (
            vec![(":authority", "a.shop.example"), ("cookie", "sid=1")],
            "shop",
            "sid",
        ),
        (
            vec![(":authority", "shop.example.evil"), ("cookie", "sid=1")],
            "default",
            "ip_user_agent",
        ),
        (
            vec![(":authority", "evilshop.example"), bearer],
            "default",
            "token",
        ),
        (
            vec![
                (":authority", "shop.example"),
                (":path", "/admin/x"),
                ("cookie", "sid=1"),
            ],
            "admin",
            "ip_user_agent",
        ),
        (vec![("x-tenant", "a")], "default", "ip_user_agent"),
        (vec![("x-tenant", "a"), ("x-user", "b")], "default", "pair"),
        (
            vec![(":method", "POST"), ("x-post", "a")],
            "default",
            "posted",
        ),
        (
            vec![(":method", "GET"), ("x-post", "a")],
            "default",
            "ip_user_agent",
        ),
    ] {
        let late = plain(&headers, "10.0.0.1");
        assert_eq!(
            (late.application, late.key),
            (application, key),
            "{headers:?}"
        );
    }
}

#[test]
fn a_shared_namespace_makes_one_session_of_one_value() {
    let shop = (":authority", "shop.example");
    let header = plain(&[("authorization", "Bearer a+b")], "1").session;
    assert_eq!(header, plain(&[(":path", "/x?token=a%2Bb")], "2").session);
    assert_ne!(header, plain(&[("cookie", "sid=a+b"), shop], "1").session);
    assert_ne!(
        header,
        plain(&[("authorization", "Bearer a+b"), shop], "1").session
    );
}

#[test]
fn the_fallback_tells_addresses_and_user_agents_apart() {
    let one = plain(&[("user-agent", "x")], "10.0.0.1").session;
    assert_eq!(
        one,
        plain(&[("user-agent", "x"), (":path", "/other")], "10.0.0.1").session
    );
    assert_ne!(one, plain(&[("user-agent", "y")], "10.0.0.1").session);
    assert_ne!(one, plain(&[("user-agent", "x")], "10.0.0.2").session);
}

#[test]
fn a_fallback_to_the_prefix_merges_neighbours() {
    let document: PolicyDocument = serde_json::from_str(r#"{"fallback":"ip_prefix"}"#).unwrap();
    let policy = Policy::new(&document, "v");
    let session = |ip| {
        tell(
            &policy,
            &Story {
                ip,
                ..Story::default()
            },
        )
        .0
    };
    assert_eq!(session("10.0.0.1"), session("10.0.0.254"));
    assert_ne!(session("10.0.0.1"), session("10.0.1.1"));
    assert_eq!(session("2001:db8:0:1::1"), session("2001:db8:0:1:ffff::"));
    assert_ne!(session("2001:db8:0:1::1"), session("2001:db8:0:2::1"));
}

#[test]
fn a_login_is_linked_with_the_anonymous_session() {
    let policy = policy();
    let anonymous = &[
        (":authority", "shop.example"),
        (":path", "/login"),
        ("cookie", "sid=s1"),
    ];
    let response = ("application/json", r#"{"token":"t1","user":"u-1"}"#);
    let login = Story {
        request: anonymous,
        response,
        ip: "1",
        ..Story::default()
    };
    let (at_start, at_end) = tell(&policy, &login);
    assert_eq!(at_end.key, "login");
    let [link] = &at_end.links[..] else {
        panic!("{:?}", at_end.links)
    };
    assert_eq!(
        (link.kind, link.session, &*link.key),
        (LinkKind::Login, at_start, "sid")
    );
    // The token in a header afterwards is the same session.
    let later = plain(
        &[
            (":authority", "shop.example"),
            ("authorization", "Bearer t1"),
        ],
        "2",
    );
    assert_eq!(later.session, at_end.session);
    let user = &at_end.params[0];
    assert_eq!(
        (&*user.name, &*user.value, user.kind),
        ("user", "u-1", ParameterKind::User)
    );
    assert!(!user.forgeable, "it came from the upstream");
}

use crate::wire::ParameterKind;

#[test]
fn a_renewed_token_is_linked_with_the_old_one() {
    let request = &[(":path", "/refresh"), ("authorization", "Bearer t1")];
    let story = Story {
        request,
        body: ("application/json", r#"{"refresh_token":"r1"}"#),
        response: ("application/json", r#"{"token":"t2"}"#),
        ip: "1",
    };
    let late = tell(&policy(), &story).1;
    assert_eq!(late.key, "token");
    let kinds: Vec<_> = late
        .links
        .iter()
        .map(|link| (link.kind, &*link.key))
        .collect();
    assert_eq!(
        kinds,
        [(LinkKind::Refresh, "login"), (LinkKind::Login, "refresh")]
    );
    let new = plain(&[("authorization", "Bearer t2")], "1").session;
    assert_eq!(late.links[0].session, new);
}

#[test]
fn two_keys_in_one_request_are_linked() {
    let shop = (":authority", "shop.example");
    let late = plain(
        &[shop, ("authorization", "Bearer t"), ("cookie", "sid=s")],
        "1",
    );
    let cookie = plain(&[shop, ("cookie", "sid=s")], "1").session;
    let [link] = &late.links[..] else {
        panic!("{:?}", late.links)
    };
    assert_eq!(
        (late.key, link.kind, link.session),
        ("token", LinkKind::Both, cookie)
    );
}

#[test]
fn parameters_are_shown_as_the_policy_lets_them() {
    let story = Story {
        request: &[
            (":authority", "shop.example"),
            ("x-plan", "gold"),
            ("x-card", "4111"),
            ("x-role", "administrator"),
            ("content-type", "application/x-www-form-urlencoded"),
        ],
        body: (
            "application/x-www-form-urlencoded",
            "mail=ann%40example.com",
        ),
        ip: "1",
        ..Story::default()
    };
    let shown: Vec<_> = tell(&policy(), &story)
        .1
        .params
        .iter()
        .map(|param| {
            (
                param.name.to_string(),
                param.value.to_string(),
                param.forgeable,
            )
        })
        .collect();
    let hash = Hasher::new(&[7; 16])
        .unwrap()
        .parameter("card", b"4111")
        .to_string();
    let shown: Vec<_> = shown
        .iter()
        .map(|(n, v, f)| (n.as_str(), v.as_str(), *f))
        .collect();
    assert_eq!(
        shown,
        [
            ("plan", "gold", true),
            ("mail", "a************om", true),
            ("card", hash.as_str(), true),
            ("role", "admi", true),
        ]
    );
    let late = plain(&[("authorization", "Bearer opaque")], "1");
    assert_eq!(late.failed, [(Cow::Borrowed("user"), Cow::Borrowed("jwt"))]);
}

#[test]
fn a_masked_or_hashed_value_still_groups() {
    for shown in [
        r#""hash":true"#,
        r#""mask":{"start":1,"end":2}"#,
        r#""bytes_max":2"#,
    ] {
        let document = format!(
            r#"{{"keys":[{{"name":"card","from":{{"header":"x-card"}}}}],
                "parameters":[{{"name":"card","from":{{"header":"x-card"}},{shown}}}]}}"#
        );
        let document: PolicyDocument = serde_json::from_str(&document).unwrap();
        let policy = Policy::new(&document, "v");
        let of = |card: &str, ip: &str| {
            let request = &[("x-card", card)];
            let story = Story {
                request,
                ip,
                ..Story::default()
            };
            let late = tell(&policy, &story).1;
            assert!(!late.params[0].value.contains(card), "{shown}");
            (late.session, late.params[0].value.to_string())
        };
        let one = of("4111-2222-3300", "1");
        assert_eq!(one, of("4111-2222-3300", "2"), "{shown}");
        // Both look alike with the mask or the cut, and are two sessions.
        assert_ne!(one.0, of("4111-7777-3300", "1").0, "{shown}");
    }
}

#[test]
fn only_what_a_rule_needs_is_kept() {
    let policy = policy();
    let needs = |headers: &[(&str, &str)]| {
        let request = block(headers);
        let parts = Parts {
            request: Request::new(&request),
            ..Parts::default()
        };
        policy
            .early(&parts, || b"1", &Hasher::new(&[7; 16]).unwrap())
            .needs
    };
    // The user parameter reads every response here; request bodies only where a rule says so.
    let json = ("content-type", "application/json");
    assert!(needs(&[(":path", "/refresh"), json]).request_body);
    assert!(!needs(&[(":path", "/refresh"), ("content-type", "text/plain")]).request_body);
    assert!(!needs(&[(":path", "/other"), json]).request_body);
    let document: PolicyDocument = serde_json::from_str("{}").unwrap();
    let request = block(&[json]);
    let parts = Parts {
        request: Request::new(&request),
        ..Parts::default()
    };
    let early = Policy::new(&document, "v").early(&parts, || b"1", &Hasher::new(&[7; 16]).unwrap());
    assert_eq!(early.needs, Needs::default());
}

proptest! {
    #[test]
    fn any_headers_give_a_session(pairs: Vec<(Vec<u8>, Vec<u8>)>, ip: Vec<u8>, body: Vec<u8>) {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        let request = HeaderBlock::from_pairs(&pairs);
        let (policy, hasher) = (policy(), Hasher::new(&[7; 16]).unwrap());
        let parts = || Parts {
            request: Request::new(&request),
            request_body: Some(Body::new(&body, Extent::Whole, b"application/json", b"")),
            response_body: Some(Body::new(&body, Extent::Whole, b"application/json", b"gzip")),
            response: Some(&request),
            ended: true,
            ..Parts::default()
        };
        let early = policy.early(&parts(), || &ip, &hasher);
        let (one, two) = (parts(), parts());
        prop_assert_eq!(policy.late(&early, &one, &hasher), policy.late(&early, &two, &hasher));
    }
}
