//! The web UI: the files that `scripts/build-ui` puts into `ui/dist`, inside the program.
//!
//! A debug build reads them from there as it serves, so that a change needs no `cargo build`; a
//! release build carries them. The pages ask nothing but `/v1`, and need no token themselves.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rust_embed::RustEmbed;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;

use crate::api::App;

/// Nothing inline, nothing from elsewhere, in no other site's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const PAGE: &str = "index.html";
/// Names in here carry a hash of their content.
const HASHED: &str = "assets/";
/// What was not built is no reason to build nothing.
const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Throughline</title><h1>The web UI is not built</h1>\
    <p>Run <code>make build</code> (or <code>scripts/build-ui</code>, which needs Node 20) in the \
    folder of this program's source, then load this page again; a release build has to be \
    compiled after it.</p>\
    <p>The query API works without it: <a href=\"/docs\">/docs</a>.</p></html>";

#[derive(RustEmbed)]
#[folder = "../ui/dist"]
#[allow_missing = true]
struct Dist;

/// A file of the UI.
struct File {
    bytes: Cow<'static, [u8]>,
    /// Of the content; tells one version from another.
    hash: [u8; 32],
}

/// Finds a file by its path within `ui/dist`.
type Find<'a> = &'a dyn Fn(&str) -> Option<File>;

fn embedded(path: &str) -> Option<File> {
    Dist::get(path).map(|file| File {
        hash: file.metadata.sha256_hash(),
        bytes: file.data,
    })
}

/// Every path that is no endpoint's; to be placed after those.
pub(crate) fn route(_: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and_then(
            |method: Method, path: FullPath, headers: HeaderMap| async move {
                let is_read = method == Method::GET || method == Method::HEAD;
                is_read
                    .then(|| answer(&embedded, path.as_str(), &headers))
                    .flatten()
                    .ok_or_else(warp::reject::not_found)
            },
        )
        .boxed()
}

/// A file, or the page for every path that a browser wants a page for; `None` for any other.
fn answer(find: Find<'_>, path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = path.trim_start_matches('/');
    if name == "v1" || name.starts_with("v1/") {
        return None;
    }
    if !name.is_empty() && find(name).is_some() {
        return file(find, name, headers);
    }
    // Pages are drawn in the browser by their path, so all of them are the same file.
    let wants_page = name.is_empty() || lists(headers, &ACCEPT, "text/html");
    if !wants_page || name.starts_with(HASHED) {
        return None;
    }
    file(find, PAGE, headers).or_else(|| Some(missing()))
}

fn file(find: Find<'_>, name: &str, headers: &HeaderMap) -> Option<Response> {
    let encoded = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| lists(headers, &ACCEPT_ENCODING, encoding))
        .find_map(|(encoding, ending)| Some((encoding, find(&format!("{name}.{ending}"))?)));
    let (encoding, file) = match encoded {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, find(name)?),
    };
    let hash = file.hash.iter().take(8);
    let etag: String = hash.map(|byte| format!("{byte:02x}")).collect();
    let etag = HeaderValue::try_from(format!("\"{etag}\"")).ok()?;
    let is_known = headers.get(IF_NONE_MATCH) == Some(&etag);
    let mut response = Response::new(if is_known {
        Vec::new().into()
    } else {
        file.bytes.into_owned().into()
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let kept = if name.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let out = response.headers_mut();
    out.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    out.insert(ETAG, etag);
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(response)
}

fn missing() -> Response {
    let mut response = Response::new(MISSING.into());
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(PAGE)));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Whether a header with a list of values has this one, and does not refuse it (`;q=0`).
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut texts = values.filter_map(|value| value.to_str().ok());
    texts.any(|text| {
        text.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next() == Some(wanted) && !parts.any(|part| part == "q=0" || part == "q=0.0")
        })
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(path: &str) -> Option<File> {
        let names = [
            "index.html",
            "index.html.br",
            "index.html.gz",
            "assets/a-1.js",
            "i.svg",
        ];
        names.contains(&path).then(|| File {
            bytes: path.to_owned().into_bytes().into(),
            hash: [7; 32],
        })
    }

    fn ask(find: Find<'_>, path: &str, given: &[(HeaderName, &str)]) -> Option<Response> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(name, value.parse().unwrap());
        }
        answer(find, path, &headers)
    }

    fn check(path: &str, given: &[(HeaderName, &str)], expected: Option<(&str, &str)>) {
        let answered = ask(&built, path, given);
        let shown = answered.as_ref().map(|response| {
            let text = |name| response.headers().get(name).unwrap().to_str().unwrap();
            (text(CONTENT_TYPE), text(CACHE_CONTROL))
        });
        assert_eq!(shown, expected, "{path}");
    }

    const HTML: &str = "text/html; charset=utf-8";
    const JS: &str = "text/javascript; charset=utf-8";
    const KEPT: &str = "public, max-age=31536000, immutable";

    #[test]
    fn files_pages_and_what_is_neither() {
        let page = [(ACCEPT, "text/html,*/*;q=0.8")];
        check("/", &[], Some((HTML, "no-cache")));
        check("/sessions/0a", &page, Some((HTML, "no-cache")));
        check("/sessions/0a", &[(ACCEPT, "*/*")], None);
        check("/assets/a-1.js", &[], Some((JS, KEPT)));
        check("/i.svg", &[], Some(("image/svg+xml", "no-cache")));
        // A page of an older version asks for its script: a page would be no script.
        check("/assets/gone.js", &page, None);
        check("/v1/nothing", &page, None);
        check("/v1", &page, None);
    }

    #[test]
    fn sends_what_the_browser_can_read_once() {
        for (accepts, expected) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip, br;q=0", Some("gzip")),
            ("identity", None),
        ] {
            let answered = ask(&built, "/", &[(ACCEPT_ENCODING, accepts)]).unwrap();
            let encoding = answered.headers().get(CONTENT_ENCODING);
            assert_eq!(encoding.map(|value| value.to_str().unwrap()), expected);
            assert_eq!(answered.headers()[CONTENT_SECURITY_POLICY], POLICY);
        }
        let known = ask(&built, "/", &[(IF_NONE_MATCH, "\"0707070707070707\"")]).unwrap();
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn says_how_to_build_it_when_it_is_not_built() {
        let answered = ask(&|_| None, "/", &[]).unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        assert_eq!(answered.headers()[CACHE_CONTROL], "no-store");
        assert!(MISSING.contains("scripts/build-ui"));
    }
}
