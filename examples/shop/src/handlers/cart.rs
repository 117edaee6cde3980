//! The cart, an anonymous session's or an account's, and its coupon.

use serde_json::{Value, json};

use crate::call::Call;
use crate::reply::{Reply, not_found};
use crate::state::{Cart, Owner, Shop, State};

const LINES_MAX: usize = 50;
const QUANTITY_MAX: u32 = 20;
/// Code and discount in percent; each works once per account.
const COUPONS: &[(&str, u32)] = &[("WELCOME10", 10), ("SPRING5", 5), ("THANKYOU15", 15)];

pub(crate) fn show(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    match state.owner(call) {
        Ok(owner) => Reply::json(200, shown(shop, state, &owner)),
        Err(refusal) => refusal,
    }
}

pub(crate) fn add(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let owner = match state.owner(call) {
        Ok(owner) => owner,
        Err(refusal) => return refusal,
    };
    let body = call.json();
    let number = |name| u32::try_from(body.get(name)?.as_u64()?).ok();
    let quantity = number("quantity").unwrap_or(1);
    let Some(product) = number("product_id").and_then(|id| shop.catalogue.get(id)) else {
        return Reply::error(422, "no_product", "There is no such product.");
    };
    let Some(cart) = state.carts.entry(&owner, Cart::default) else {
        return Reply::error(503, "no_cart", "Try again later.");
    };
    let full = cart.lines.len() >= LINES_MAX && !cart.lines.contains_key(&product.id);
    let line = cart
        .lines
        .get(&product.id)
        .copied()
        .unwrap_or(0)
        .saturating_add(quantity);
    if full || line == 0 || line > QUANTITY_MAX {
        return Reply::error(422, "too_much", "The cart cannot take this.");
    }
    cart.lines.insert(product.id, line);
    Reply::json(201, shown(shop, state, &owner))
}

pub(crate) fn remove(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let owner = match state.owner(call) {
        Ok(owner) => owner,
        Err(refusal) => return refusal,
    };
    let removed = state
        .carts
        .entry(&owner, Cart::default)
        .zip(call.id())
        .and_then(|(cart, id)| cart.lines.remove(&id));
    match removed {
        Some(_) => Reply::json(200, shown(shop, state, &owner)),
        None => not_found(),
    }
}

pub(crate) fn coupon(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let owner = match state.owner(call) {
        Ok(owner) => owner,
        Err(refusal) => return refusal,
    };
    let body = call.json();
    let code = body.get("code").and_then(Value::as_str).unwrap_or_default();
    if percent(code) == 0 {
        return Reply::error(422, "bad_coupon", "This code is not valid.");
    }
    if used(state, &owner, code) {
        return Reply::error(409, "coupon_used", "This code was used before.");
    }
    if let Some(cart) = state.carts.entry(&owner, Cart::default) {
        cart.coupon = Some(code.to_owned());
    }
    Reply::json(200, shown(shop, state, &owner))
}

/// The sum to pay, discount included.
pub(crate) fn total_cents(shop: &Shop, cart: &Cart) -> u32 {
    let price = |(id, quantity): (&u32, &u32)| {
        let price = shop
            .catalogue
            .get(*id)
            .map_or(0, |product| product.price_cents);
        price.saturating_mul(*quantity)
    };
    let sum: u32 = cart.lines.iter().map(price).fold(0, u32::saturating_add);
    sum - sum / 100 * cart.coupon.as_deref().map_or(0, percent)
}

fn percent(code: &str) -> u32 {
    COUPONS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(0, |(_, percent)| *percent)
}

fn used(state: &State, owner: &Owner, code: &str) -> bool {
    let Owner::Account(account) = owner else {
        return false;
    };
    let profile = state.profiles.get(account);
    profile.is_some_and(|profile| profile.coupons.iter().any(|used| used == code))
}

fn shown(shop: &Shop, state: &State, owner: &Owner) -> Value {
    let cart = state.carts.get(owner).cloned().unwrap_or_default();
    let items: Vec<Value> = cart
        .lines
        .iter()
        .map(|(id, quantity)| json!({"product_id": id, "quantity": quantity}))
        .collect();
    json!({"items": items, "coupon": cart.coupon, "total_cents": total_cents(shop, &cart)})
}
