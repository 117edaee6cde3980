//! The customer's own data, and the way back in for those who forgot their password.

use serde_json::{Value, json};

use crate::accounts::{self, Account};
use crate::call::Call;
use crate::reply::{Reply, not_found};
use crate::state::{Shop, State};

const FIELD_CHARS_MAX: usize = 100;
const PASSWORD_CHARS_MIN: usize = 8;

pub(crate) fn me(_: &Shop, state: &mut State, call: &Call) -> Reply {
    match state.caller(call) {
        Ok(account) => shown(state, account),
        Err(refusal) => refusal,
    }
}

pub(crate) fn change(_: &Shop, state: &mut State, call: &Call) -> Reply {
    let account = match state.caller(call) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    let body = call.json();
    let field = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let (name, phone, password) = (field("name"), field("phone"), field("password"));
    let given = [&name, &phone, &password];
    if given.iter().all(|field| field.is_none()) {
        return Reply::error(
            422,
            "nothing_to_change",
            "Name, phone or password is needed.",
        );
    }
    let too_long = |field: &&Option<String>| {
        field
            .as_ref()
            .is_some_and(|text| text.len() > FIELD_CHARS_MAX)
    };
    if given.iter().any(too_long) {
        return Reply::error(422, "too_long", "A value is too long.");
    }
    if let Some(profile) = state.profile(account) {
        profile.name = name.or(profile.name.take());
        profile.phone = phone.or(profile.phone.take());
        profile.password = password.or(profile.password.take());
    }
    shown(state, account)
}

/// Sends the mail, or says that there is nobody to send it to: the leak that lets outsiders
/// find out who is a customer, as in many real shops.
pub(crate) fn ask_reset(_: &Shop, state: &mut State, call: &Call) -> Reply {
    let body = call.json();
    let Some(email) = body.get("email").and_then(Value::as_str) else {
        return Reply::error(422, "no_email", "An e-mail address is needed.");
    };
    let Some(account) = accounts::find(email) else {
        return Reply::error(404, "unknown_email", "We do not know this address.");
    };
    if let Some(profile) = state.profile(account.index) {
        profile.reset_pending = true;
    }
    Reply::json(202, json!({"sent": true}))
}

pub(crate) fn see_reset(_: &Shop, state: &mut State, call: &Call) -> Reply {
    match pending(state, call) {
        Some(account) => Reply::json(200, json!({"email": account.email})),
        None => not_found(),
    }
}

pub(crate) fn reset(_: &Shop, state: &mut State, call: &Call) -> Reply {
    let Some(account) = pending(state, call) else {
        return not_found();
    };
    let body = call.json();
    let password = body
        .get("password")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !(PASSWORD_CHARS_MIN..=FIELD_CHARS_MAX).contains(&password.len()) {
        return Reply::error(
            422,
            "bad_password",
            "The password needs 8 to 100 characters.",
        );
    }
    if let Some(profile) = state.profile(account.index) {
        profile.password = Some(password.to_owned());
        profile.reset_pending = false;
        profile.failures = 0;
    }
    Reply::json(200, json!({"changed": true}))
}

/// Whose link this is. The address comes in the query, as in the mail's link; the token proves it.
fn pending(state: &State, call: &Call) -> Option<Account> {
    let account = accounts::find(call.query("email")?)?;
    let asked = state.profiles.get(&account.index)?.reset_pending;
    (asked && accounts::reset_token(&account.email) == call.param()).then_some(account)
}

fn shown(state: &State, index: u32) -> Reply {
    let account = accounts::account(index);
    let profile = state.profiles.get(&index);
    let name = profile.and_then(|profile| profile.name.clone());
    Reply::json(
        200,
        json!({
            "id": index,
            "email": account.email,
            "name": name.unwrap_or(account.name),
            "phone": profile.and_then(|profile| profile.phone.clone()),
        }),
    )
}
