//! The back office, which nobody of the demo may enter.

use crate::call::Call;
use crate::reply::Reply;
use crate::state::{Shop, State};

pub(crate) fn enter(_: &Shop, state: &mut State, call: &Call) -> Reply {
    match state.caller(call) {
        Ok(_) => Reply::error(403, "forbidden", "Staff only."),
        Err(refusal) => refusal,
    }
}
