//! What is remembered: of a session, of a source, of an application. Everything has a limit.

pub(crate) mod application;
pub(crate) mod baseline;
pub(crate) mod bounded;
pub(crate) mod campaign;
mod chunks;
pub(crate) mod readers;
pub(crate) mod session;
pub(crate) mod shapes;
pub(crate) mod source;
pub(crate) mod totals;

use crate::event::Event;

/// An event with what its session and its application know of it, before both learn from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) event: &'a Event,
    /// Since the visit's request before, microseconds; `None` for the first and for late ones.
    pub(crate) gap_us: Option<i64>,
    /// How unusual this endpoint is after the one before, thousandths of a nat.
    pub(crate) surprise: Option<u32>,
    /// How rare the endpoint is in the application's traffic, thousandths of a nat.
    pub(crate) rarity: u32,
    /// Where bytes and times stand among those of the endpoint, thousandths.
    pub(crate) bytes_rank: Option<u32>,
    pub(crate) time_rank: Option<u32>,
    /// Its referer is a page that this visit asked for.
    pub(crate) came_from_here: bool,
}
