//! Coming and going: login, refresh, logout.

use std::time::Duration;

use serde_json::{Value, json};

use crate::accounts;
use crate::call::Call;
use crate::reply::Reply;
use crate::state::{Cart, Owner, Profile, Shop, State};
use crate::tokens::Pair;

/// So many wrong passwords for one account within the window lock it until the window is over.
/// Far above what a forgetful person needs, far below what guessing needs.
const FAILURES_MAX: u32 = 25;
const FAILURES_WINDOW: Duration = Duration::from_secs(60);

pub(crate) fn login(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let body = call.json();
    let text = |name| body.get(name).and_then(Value::as_str);
    let (Some(email), Some(password)) = (text("email"), text("password")) else {
        return Reply::error(422, "bad_login", "E-mail and password are needed.");
    };
    let refusal = Reply::error(401, "bad_credentials", "E-mail or password is wrong.");
    let Some(account) = accounts::find(email) else {
        return refusal;
    };
    let Some(profile) = state.profile(account.index) else {
        return refusal;
    };
    if locked(profile, call) {
        let reply = Reply::error(429, "locked", "Too many failures, try again later.");
        return reply.with(http::header::RETRY_AFTER, "30");
    }
    if password != profile.password.as_ref().unwrap_or(&account.password) {
        profile.failures += 1;
        profile.failures_since.get_or_insert(call.now);
        return refusal;
    }
    profile.failures = 0;
    profile.failures_since = None;
    take_cart(state, call, account.index);
    let pair = state.tokens.issue(account.index, call.now, &mut state.rng);
    let user = json!({"id": account.index, "email": account.email, "name": account.name});
    Reply::json(200, granted(shop, &pair, &user))
}

pub(crate) fn refresh(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let body = call.json();
    let Some(token) = body.get("refresh_token").and_then(Value::as_str) else {
        return Reply::error(422, "no_token", "A refresh token is needed.");
    };
    match state.tokens.rotate(token, call.now, &mut state.rng) {
        Some((account, pair)) => {
            let user = json!({"id": account});
            Reply::json(200, granted(shop, &pair, &user))
        }
        None => Reply::error(401, "invalid_token", "The refresh token is not valid."),
    }
}

pub(crate) fn logout(_: &Shop, state: &mut State, call: &Call) -> Reply {
    if let Some(token) = call.bearer() {
        state.tokens.end(token);
    }
    Reply::empty(204)
}

fn granted(shop: &Shop, pair: &Pair, user: &Value) -> Value {
    json!({
        "token": pair.token,
        "refresh_token": pair.refresh,
        "token_type": "Bearer",
        "expires_in": shop.config.token_lifetime.as_secs(),
        "user": user,
    })
}

fn locked(profile: &mut Profile, call: &Call) -> bool {
    let over = |since| call.now.duration_since(since) > FAILURES_WINDOW;
    if profile.failures_since.is_some_and(over) {
        profile.failures = 0;
        profile.failures_since = None;
    }
    profile.failures >= FAILURES_MAX
}

/// What was put into the anonymous cart comes along.
fn take_cart(state: &mut State, call: &Call, account: u32) {
    let Some(sid) = call.sid() else { return };
    let Some(anonymous) = state.carts.remove(&Owner::Anonymous(sid.to_owned())) else {
        return;
    };
    if let Some(cart) = state.carts.entry(&Owner::Account(account), Cart::default) {
        cart.lines.extend(anonymous.lines);
        cart.coupon = anonymous.coupon.or(cart.coupon.take());
    }
}
