#![no_main]
//! Any headers and bodies through every rule of a policy, early and late.

use libfuzzer_sys::fuzz_target;
use throughline_session::body::{Body, Extent};
use throughline_session::extract::Parts;
use throughline_session::headers::HeaderBlock;
use throughline_session::identity::Hasher;
use throughline_session::policy::{Policy, PolicyDocument};
use throughline_session::redact;
use throughline_session::request::Request;

const POLICY: &str = r#"{
    "keys": [
        {"name": "bearer", "from": {"bearer": {}}},
        {"name": "cookie", "from": {"cookie": "a"}},
        {"name": "fingerprint", "from": {"fingerprint": {"header": "b", "trusted": true}}},
        {"name": "form", "from": {"form": "a"}},
        {"name": "operation", "from": {"graphql": {"operation": {}}}},
        {"name": "variable", "from": {"graphql": {"variable": "/a/*"}}},
        {"name": "grpc", "from": [{"grpc": "service"}, {"grpc": "method"}]},
        {"name": "header", "from": {"header": "b", "decode": ["percent", "base64", "lower", "trim"]}},
        {"name": "regex", "from": {"header": "b", "decode": [{"regex": "(a|b)*c?(\\d+)"}]}},
        {"name": "host", "from": [{"host": {}}, {"method": {}}]},
        {"name": "json", "from": {"json": "/a/*/0"}},
        {"name": "jwt", "from": {"jwt": {"claim": "sub", "in": {"bearer": {}}}}},
        {"name": "jwt_in_json", "from": {"response": {"jwt": {"claim": "/a/0", "in": {"json": "/a"}}}}},
        {"name": "path", "from": [{"path": "/*/{a}"}, {"path_segment": 0}]},
        {"name": "query", "from": {"query": "a"}},
        {"name": "set_cookie", "from": {"response": {"cookie": "a"}}},
        {"name": "tls", "from": [{"tls": "sni"}, {"tls": "peer_subject"}]}
    ],
    "parameters": [
        {"name": "masked", "from": {"json": "/*"}, "mask": {"start": 1, "end": 1}},
        {"name": "hashed", "from": {"form": "a"}, "hash": true}
    ]
}"#;

// A hasher remembers, and is of one thread.
thread_local! {
    static POLICY_AND_HASHER: (Policy, Hasher) = (
        Policy::new(&PolicyDocument::parse(POLICY.as_bytes()).expect("the policy above"), "fuzz"),
        Hasher::new(&[7; 32]).expect("long enough"),
    );
}

fuzz_target!(|data: &[u8]| POLICY_AND_HASHER.with(|(policy, hasher)| check(data, policy, hasher)));

// Zero bytes separate names and values; the last two parts are the bodies.
fn check(data: &[u8], policy: &Policy, hasher: &Hasher) {
    let mut parts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let response_body = parts.pop().unwrap_or_default();
    let request_body = parts.pop().unwrap_or_default();
    let pairs: Vec<_> = parts
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let block = HeaderBlock::from_pairs(&pairs);
    let request = Request::new(&block);
    let kind = request.content_type.unwrap_or(b"application/json");
    let encoding = request.content_encoding.unwrap_or_default();
    let early = Parts {
        request,
        ..Parts::default()
    };
    let known = policy.early(&early, || data, hasher);
    let late = Parts {
        request,
        request_body: Some(Body::new(request_body, Extent::Whole, kind, encoding)),
        response: Some(&block),
        response_body: Some(Body::new(
            response_body,
            Extent::Whole,
            b"application/json",
            encoding,
        )),
        tls_sni: Some(request_body),
        tls_peer_subject: None,
        ended: true,
    };
    let found = policy.late(&known, &late, hasher);
    assert!(found.links.len() <= 4 && found.failed.len() <= 8);
    let (path, _) = redact::path(
        request.path().unwrap_or_default(),
        &policy.secret_paths,
        hasher,
    );
    assert!(path.len() <= redact::PATH_BYTES_MAX);
    // The raw block too: the host's bytes are not ours.
    HeaderBlock::new(data.to_vec()).iter().for_each(drop);
}
