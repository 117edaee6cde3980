//! log → verdict: one thread reads the log, keeps the state of bot detection, and says who is a bot.
//!
//! Architecture invariant: verdicts depend on nothing but what stands in the log, in its order:
//! records, and [`Ruling`]s: what people decide, and which crawlers were confirmed. The state is kept in a snapshot with its log position;
//! whatever is read again after a restart gives the same verdicts, and the store takes each once
//! ([`Outbox`]). Nothing here is waited for by whoever sends records.

mod judge;
mod learnt;
mod outbox;
mod reason;
mod regrouped;
mod ruling;
mod side;
mod snapshot;
mod status;
mod thread;

pub use judge::{Event, EvidenceVote, Judge, Place, verdict_id};
pub use outbox::{Outbox, Package};
pub use reason::reason;
pub use regrouped::{
    Counts, Example, ExampleClient, Labels, NewlyCaught, Regrouped, Regrouping, Standing, Tried,
    TypeChange,
};
pub use ruling::{Label, Labelling, Profiles, Ruling};
pub use side::{Flagged, Side};
pub use snapshot::{Snapshot, SnapshotError};
pub use status::{ApplicationStatus, Status};
pub use thread::{Detecting, DetectionParts};
