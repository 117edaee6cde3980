//! What machines of the house call: health and the payment provider's webhook.

use serde_json::json;

use crate::call::Call;
use crate::reply::Reply;
use crate::state::{Shop, State};
use crate::webhook;

pub(crate) fn health(_: &Shop, _: &mut State, _: &Call) -> Reply {
    Reply::json(200, json!({"status": "ok"}))
}

pub(crate) fn payment(_: &Shop, _: &mut State, call: &Call) -> Reply {
    let expected = webhook::signature(&call.body);
    if call.header(webhook::HEADER) != Some(expected.as_str()) {
        return Reply::error(401, "bad_signature", "The signature does not match.");
    }
    match call.json().get("event") {
        Some(event) if event.is_string() => Reply::json(202, json!({"received": true})),
        _ => Reply::error(422, "no_event", "An event is needed."),
    }
}
