//! What a browser loads: the page, its assets, pictures; and what crawlers ask for first.

use bytes::Bytes;
use http::header;

use crate::call::Call;
use crate::mix::{mix, text};
use crate::reply::{Reply, not_found};
use crate::state::{Shop, State};

const SHELL: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<title>Example shop</title>
<link rel=\"stylesheet\" href=\"/assets/style.css\">
<link rel=\"icon\" href=\"/favicon.ico\">
<script src=\"/assets/vendor.js\" defer></script>
<script src=\"/assets/app.js\" defer></script>
</head>
<body><header><img src=\"/assets/logo.svg\" alt=\"Example shop\"></header>
<main id=\"app\"></main></body>
</html>
";
const ROBOTS: &str = "User-agent: *
Disallow: /api/cart
Disallow: /api/me
Disallow: /admin
Crawl-delay: 1
Sitemap: /sitemap.xml
";
/// Name, type and size in bytes.
const ASSETS: &[(&str, &str, usize)] = &[
    ("app.js", "text/javascript", 24_000),
    ("vendor.js", "text/javascript", 61_000),
    ("style.css", "text/css", 9_000),
    ("logo.svg", "image/svg+xml", 1_800),
    ("hero.webp", "image/webp", 18_000),
];

/// The page of a single-page application, the same under every address.
pub(crate) fn shell(_: &Shop, _: &mut State, _: &Call) -> Reply {
    Reply::typed(200, "text/html; charset=utf-8", SHELL).with(header::CACHE_CONTROL, "no-cache")
}

pub(crate) fn asset(_: &Shop, _: &mut State, call: &Call) -> Reply {
    let wanted = ASSETS.iter().find(|(name, ..)| *name == call.param());
    match wanted {
        Some((name, kind, bytes)) => file(call, kind, filler(name, *bytes)),
        None => not_found(),
    }
}

pub(crate) fn image(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    let id = call
        .param()
        .strip_suffix(".webp")
        .and_then(|id| id.parse().ok());
    match id.and_then(|id| shop.catalogue.get(id)) {
        Some(product) => {
            let bytes = 2_000 + crate::mix::below(mix(product.id.into()), 4_000);
            file(call, "image/webp", filler(&product.sku, bytes))
        }
        None => not_found(),
    }
}

pub(crate) fn favicon(_: &Shop, _: &mut State, call: &Call) -> Reply {
    file(call, "image/x-icon", filler("favicon", 1_150))
}

pub(crate) fn robots(_: &Shop, _: &mut State, call: &Call) -> Reply {
    file(
        call,
        "text/plain; charset=utf-8",
        Bytes::from_static(ROBOTS.as_bytes()),
    )
}

pub(crate) fn sitemap(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    let urls = shop
        .catalogue
        .all()
        .iter()
        .map(|product| format!("<url><loc>/product/{}</loc></url>", product.id));
    let body = format!(
        "<?xml version=\"1.0\"?>\n<urlset>{}</urlset>\n",
        urls.collect::<String>()
    );
    file(call, "application/xml", body.into())
}

/// A file that never changes: the client's copy is good for ever.
fn file(call: &Call, kind: &'static str, body: Bytes) -> Reply {
    let etag = format!(
        "\"{:016x}\"",
        text(body.len().try_into().unwrap_or(0), &call.path)
    );
    let fresh = call.header(header::IF_NONE_MATCH.as_str()) == Some(etag.as_str());
    let reply = if fresh {
        Reply::empty(304)
    } else {
        Reply::typed(200, kind, body)
    };
    reply
        .with(header::ETAG, &etag)
        .with(header::CACHE_CONTROL, "max-age=60")
}

/// Bytes that look like something to a counter of bytes.
fn filler(name: &str, bytes: usize) -> Bytes {
    let line = format!("/* {name} {:016x} */\n", text(0, name));
    line.bytes().cycle().take(bytes).collect()
}
