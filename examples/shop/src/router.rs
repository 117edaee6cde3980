//! Which handler answers: one plain list.

use http::{Method, header};

use crate::call::Call;
use crate::handlers::{account, admin, cart, graphql, login, orders, pages, products, service};
use crate::latency::Weight;
use crate::reply::{Reply, not_found};
use crate::state::{Shop, State};

pub(crate) type Answer = fn(&Shop, &mut State, &Call) -> Reply;

#[derive(Debug)]
pub(crate) struct Route {
    method: &'static str,
    /// Segments in braces take any value; the values are the call's `params`.
    path: &'static str,
    pub(crate) weight: Weight,
    pub(crate) answer: Answer,
}

const fn get(path: &'static str, weight: Weight, answer: Answer) -> Route {
    route("GET", path, weight, answer)
}

const fn post(path: &'static str, weight: Weight, answer: Answer) -> Route {
    route("POST", path, weight, answer)
}

const fn route(method: &'static str, path: &'static str, weight: Weight, answer: Answer) -> Route {
    Route {
        method,
        path,
        weight,
        answer,
    }
}

/// Every endpoint of the shop.
pub(crate) const ALL: &[Route] = &[
    get("/", Weight::Light, pages::shell),
    get("/product/{id}", Weight::Light, pages::shell),
    get("/category/{name}", Weight::Light, pages::shell),
    get("/assets/{name}", Weight::Static, pages::asset),
    get("/images/{name}", Weight::Static, pages::image),
    get("/favicon.ico", Weight::Static, pages::favicon),
    get("/robots.txt", Weight::Static, pages::robots),
    get("/sitemap.xml", Weight::Static, pages::sitemap),
    get("/healthz", Weight::Static, service::health),
    post("/webhooks/payment", Weight::Light, service::payment),
    get("/admin", Weight::Light, admin::enter),
    get("/admin/{page}", Weight::Light, admin::enter),
    get("/api/products", Weight::Medium, products::list),
    get("/api/products/{id}", Weight::Light, products::one),
    get(
        "/api/products/{id}/reviews",
        Weight::Medium,
        products::reviews,
    ),
    get("/api/search", Weight::Search, products::search),
    get("/api/stock/{id}", Weight::Light, products::stock),
    post("/api/login", Weight::Login, login::login),
    post("/api/token/refresh", Weight::Light, login::refresh),
    post("/api/logout", Weight::Light, login::logout),
    post("/api/password-reset", Weight::Medium, account::ask_reset),
    get(
        "/api/password-reset/{token}",
        Weight::Light,
        account::see_reset,
    ),
    post("/api/password-reset/{token}", Weight::Login, account::reset),
    get("/api/me", Weight::Light, account::me),
    route("PUT", "/api/me", Weight::Medium, account::change),
    get("/api/cart", Weight::Light, cart::show),
    post("/api/cart/items", Weight::Medium, cart::add),
    route(
        "DELETE",
        "/api/cart/items/{id}",
        Weight::Light,
        cart::remove,
    ),
    post("/api/coupons/apply", Weight::Medium, cart::coupon),
    post("/api/checkout", Weight::Checkout, orders::checkout),
    get("/api/orders", Weight::Medium, orders::list),
    get("/api/orders/{id}", Weight::Light, orders::one),
    post("/graphql", Weight::Medium, graphql::query),
];

/// The route for a call, with its `params` filled in; or the 404, 405 or 204 to send.
pub(crate) fn find(call: &mut Call) -> Result<&'static Route, Reply> {
    let method = match call.method {
        Method::HEAD => "GET",
        _ => call.method.as_str(),
    };
    let mut allowed = Vec::new();
    for route in ALL {
        let Some(params) = params(route.path, &call.path) else {
            continue;
        };
        if route.method == method {
            call.params = params;
            return Ok(route);
        }
        allowed.push(route.method);
    }
    if allowed.is_empty() {
        return Err(not_found());
    }
    let allow = allowed.join(", ");
    let reply = match call.method {
        Method::OPTIONS => Reply::empty(204),
        _ => Reply::error(405, "method_not_allowed", "Not with this method."),
    };
    Err(reply.with(header::ALLOW, &allow))
}

fn params(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                params.push(value.to_owned());
            }
            (Some(name), Some(value)) if name == value => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_whole_segments() {
        for (pattern, path, expected) in [
            ("/", "/", Some(vec![])),
            ("/a/{id}", "/a/7", Some(vec!["7".to_owned()])),
            ("/a/{id}", "/a/", None),
            ("/a/{id}", "/a/7/b", None),
            ("/a/{id}/b", "/a/7/b", Some(vec!["7".to_owned()])),
        ] {
            assert_eq!(params(pattern, path), expected, "{pattern} {path}");
        }
    }
}
