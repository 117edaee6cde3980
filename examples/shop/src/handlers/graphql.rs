//! One address, many operations: what the app uses beside the REST endpoints.

use serde_json::{Value, json};

use crate::accounts;
use crate::call::Call;
use crate::catalogue;
use crate::reply::Reply;
use crate::state::{Shop, State};

pub(crate) fn query(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let body = call.json();
    let Some(text) = body.get("query").and_then(Value::as_str) else {
        return Reply::json(400, errors("A query is needed.", "BAD_REQUEST"));
    };
    if text.contains("__schema") {
        return Reply::json(400, errors("Introspection is off.", "FORBIDDEN"));
    }
    let variables = body.get("variables").unwrap_or(&Value::Null);
    let number = variables.get("id").and_then(Value::as_u64);
    let id = number.and_then(|id| u32::try_from(id).ok());
    let data = match body.get("operationName").and_then(Value::as_str) {
        Some("ProductPage") => {
            let product = id.and_then(|id| shop.catalogue.get(id));
            let reviews = product.map(|product| catalogue::reviews(product.id));
            json!({"product": product, "reviews": reviews})
        }
        Some("Search") => {
            let words = variables
                .get("q")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let found = shop.catalogue.search(words);
            json!({"search": found.iter().take(24).collect::<Vec<_>>(), "total": found.len()})
        }
        Some("Viewer") => match state.caller(call) {
            Ok(account) => {
                json!({"viewer": {"id": account, "name": accounts::account(account).name}})
            }
            Err(_) => return Reply::json(200, errors("Log in first.", "UNAUTHENTICATED")),
        },
        Some("CartSummary") => {
            let owner = state.owner(call).ok();
            let cart = owner.and_then(|owner| state.carts.get(&owner));
            json!({"cart": {"lines": cart.map_or(0, |cart| cart.lines.len())}})
        }
        _ => return Reply::json(400, errors("Unknown operation.", "BAD_REQUEST")),
    };
    Reply::json(200, json!({"data": data}))
}

fn errors(message: &str, code: &str) -> Value {
    json!({"errors": [{"message": message, "extensions": {"code": code}}]})
}
