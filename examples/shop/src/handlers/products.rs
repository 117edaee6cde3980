//! The catalogue: lists with pages, single products, reviews, search, stock.

use serde_json::{Value, json};

use crate::call::Call;
use crate::catalogue::{self, CATEGORIES, Product};
use crate::mix::mix;
use crate::reply::{Reply, not_found};
use crate::state::{Shop, State};

const PER_PAGE: usize = 24;
const PER_PAGE_MAX: usize = 100;
const QUERY_CHARS_MAX: usize = 100;

pub(crate) fn list(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    let category = call
        .query("category")
        .filter(|category| !category.is_empty());
    if category.is_some_and(|category| !CATEGORIES.contains(&category)) {
        return Reply::error(404, "no_category", "There is no such category.");
    }
    page(&shop.catalogue.list(category, call.query("sort")), call)
}

pub(crate) fn search(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    match call.query("q").map(str::trim) {
        None | Some("") => Reply::error(422, "no_query", "A query is needed."),
        Some(query) if query.len() > QUERY_CHARS_MAX => {
            Reply::error(422, "query_too_long", "The query is too long.")
        }
        Some(query) => page(&shop.catalogue.search(query), call),
    }
}

pub(crate) fn one(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    match call.id().and_then(|id| shop.catalogue.get(id)) {
        Some(product) => Reply::json(200, json!(product)),
        None => not_found(),
    }
}

pub(crate) fn reviews(shop: &Shop, _: &mut State, call: &Call) -> Reply {
    match call.id().and_then(|id| shop.catalogue.get(id)) {
        Some(product) => Reply::json(200, json!({"items": catalogue::reviews(product.id)})),
        None => not_found(),
    }
}

pub(crate) fn stock(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    match call.id().and_then(|id| shop.catalogue.get(id)) {
        Some(product) => {
            let sold = state.sold.get(&product.id).copied().unwrap_or(0);
            let left = (mix(product.id.into()) % 90).saturating_sub(sold.into());
            Reply::json(200, json!({"id": product.id, "in_stock": left}))
        }
        None => not_found(),
    }
}

fn page(found: &[&Product], call: &Call) -> Reply {
    let page = call.number("page", 1);
    let per_page = call.number("per_page", PER_PAGE);
    if page == 0 || per_page == 0 || per_page > PER_PAGE_MAX {
        return Reply::error(
            422,
            "bad_page",
            "Pages start at 1 and have at most 100 items.",
        );
    }
    let skip = (page - 1).saturating_mul(per_page);
    let items: Vec<_> = found.iter().skip(skip).take(per_page).collect();
    let more = skip.saturating_add(per_page) < found.len();
    Reply::json(
        200,
        json!({
            "items": items,
            "page": page,
            "per_page": per_page,
            "total": found.len(),
            "next": if more { Value::from(link(call, page + 1)) } else { Value::Null },
        }),
    )
}

/// The address of another page, with everything else as it was asked for.
fn link(call: &Call, page: usize) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        text.bytes()
            .map(|byte| {
                if plain(&byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    let kept = call.query.iter().filter(|(name, _)| name != "page");
    let mut parts: Vec<String> = kept
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    parts.push(format!("page={page}"));
    format!("{}?{}", call.path, parts.join("&"))
}
