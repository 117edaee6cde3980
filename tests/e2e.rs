//! The stories; each folder's README says what is expected.
#![expect(
    clippy::unwrap_used,
    reason = "an unexpected outcome is a failure with a line number"
)]

mod aggregator_killed;
mod bad_input;
mod browser;
mod candidate_proof;
mod config_changed;
mod envoy_killed;
mod every_request_once;
mod first_minute;
mod grouping_proof;
mod isolation;
mod key_finder;
mod live_policy;
mod login_story;
mod odd_traffic;
mod secrets;
mod stuffer_found;
mod vm_ends;
