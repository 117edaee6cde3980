//! Plays people, honest machine clients and bots against the demo's shop, and writes down who
//! was who.
//!
//! [`run`] casts the [`actors`]: each client gets its own dice, devices and connections and plays
//! its story until the curtain falls. Whatever a client decides comes from its own dice, so that
//! the same seed plays the same stories. Two doors lead outside: `Device::send` for requests and
//! `Client::pause` for time; behind the first stands a [`Dial`], so that a story can also be
//! played in memory on a paused clock.

pub mod actors;
mod addresses;
mod agents;
mod browsing;
mod cast;
mod client;
mod device;
mod draw;
pub mod guests;
mod run;
mod truth;
mod wire;

pub use addresses::CRAWLERS;
pub use cast::{Cast, CastError, Part};
pub use run::{Plan, Tally, Turnover, run};
pub use truth::Truth;
pub use wire::{Dial, OtherSide, Outgoing, Stream, Tcp};
