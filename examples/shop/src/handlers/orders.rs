//! Orders with sequential numbers. Two orders of every account are history: a function of their
//! number. New ones follow after them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cart::total_cents;
use crate::accounts::ACCOUNTS;
use crate::call::Call;
use crate::catalogue::FIRST_ID;
use crate::mix::mix;
use crate::reply::{Reply, not_found};
use crate::state::{Cart, Order, Owner, Shop, State};

const HISTORY_FIRST: u32 = 1_000_000;
const HISTORY: u32 = 2 * ACCOUNTS;
const NEW_FIRST: u32 = HISTORY_FIRST + HISTORY;
const NEW_MAX: usize = 100_000;
/// Coprime to the number of accounts, so that neighbouring orders belong to strangers and every
/// account still has exactly two.
const STRIDE: u32 = 7_919;

pub(crate) fn checkout(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let account = match state.caller(call) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    if state.orders.len() >= NEW_MAX {
        return Reply::error(503, "busy", "We cannot take orders right now.");
    }
    let body = call.json();
    let card = body.get("card").and_then(Value::as_str).unwrap_or_default();
    if card.len() < 12 || card.ends_with('0') {
        return Reply::error(402, "card_declined", "The card was declined.");
    }
    let cart = state.carts.remove(&Owner::Account(account));
    let Some(cart) = cart.filter(|cart| !cart.lines.is_empty()) else {
        return Reply::error(422, "empty_cart", "The cart is empty.");
    };
    let order = place(shop, state, account, &cart);
    Reply::json(201, json!(order))
}

pub(crate) fn list(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let account = match state.caller(call) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    let mut orders: Vec<Order> = past(account).iter().map(|id| historic(shop, *id)).collect();
    orders.extend(
        state
            .orders
            .iter()
            .filter(|order| order.account == account)
            .cloned(),
    );
    Reply::json(200, json!({"items": orders}))
}

pub(crate) fn one(shop: &Shop, state: &mut State, call: &Call) -> Reply {
    let account = match state.caller(call) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    match call.id().and_then(|id| order(shop, state, id)) {
        Some(order) if order.account == account => Reply::json(200, json!(order)),
        Some(_) => Reply::error(403, "forbidden", "This is not your order."),
        None => not_found(),
    }
}

fn place(shop: &Shop, state: &mut State, account: u32, cart: &Cart) -> Order {
    for (id, quantity) in &cart.lines {
        let sold = state.sold.entry(*id).or_default();
        *sold = sold.saturating_add(*quantity);
    }
    if let (Some(code), Some(profile)) = (cart.coupon.clone(), state.profile(account)) {
        profile.coupons.push(code);
    }
    let number = u32::try_from(state.orders.len()).unwrap_or(u32::MAX);
    let order = Order {
        id: NEW_FIRST.saturating_add(number),
        account,
        status: "paid",
        lines: cart.lines.clone(),
        total_cents: total_cents(shop, cart),
    };
    state.orders.push(order.clone());
    order
}

fn order(shop: &Shop, state: &State, id: u32) -> Option<Order> {
    match id.checked_sub(NEW_FIRST) {
        Some(place) => state.orders.get(usize::try_from(place).ok()?).cloned(),
        None if id >= HISTORY_FIRST => Some(historic(shop, id)),
        None => None,
    }
}

fn historic(shop: &Shop, id: u32) -> Order {
    let hash = mix(id.into());
    let product = FIRST_ID + u32::try_from(hash % 500).unwrap_or(0);
    let lines = BTreeMap::from([(product, 1 + u32::from(hash & (1 << 40) != 0))]);
    let cart = Cart {
        lines,
        coupon: None,
    };
    Order {
        id,
        account: owner(id),
        status: if hash & (1 << 41) == 0 {
            "delivered"
        } else {
            "returned"
        },
        total_cents: total_cents(shop, &cart),
        lines: cart.lines,
    }
}

fn owner(id: u32) -> u32 {
    let place = u64::from(id.saturating_sub(HISTORY_FIRST));
    u32::try_from(place * u64::from(STRIDE) % u64::from(ACCOUNTS)).unwrap_or(0)
}

/// The historic orders of an account: the inverse of [`owner`].
fn past(account: u32) -> [u32; 2] {
    /// `STRIDE * INVERSE % ACCOUNTS == 1`.
    const INVERSE: u64 = 17_679;
    let place = u64::from(account) * INVERSE % u64::from(ACCOUNTS);
    let first = HISTORY_FIRST + u32::try_from(place).unwrap_or(0);
    [first, first + ACCOUNTS]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_two_orders_of_the_past() {
        for account in [0, 1, 2, 4_711, ACCOUNTS - 1] {
            let [first, second] = past(account);
            assert!(first < second && second < NEW_FIRST);
            assert_eq!([owner(first), owner(second)], [account, account]);
        }
    }
}
