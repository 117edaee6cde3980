//! record → batch: the NDJSON that the filter sends and the aggregator reads.
//!
//! A request body of `POST /v1/ingest` is one header line ([`BatchHeader`]) followed by one line
//! per [`Record`]. A heartbeat is a header line alone, without a sequence. Lines end in `\n`.

mod batch;
mod flags;
mod read;
mod record;
mod write;

pub use batch::{BatchHeader, Dropped, Ledger, Refused, Reply, Share, ShareKind, WIRE_VERSION};
pub use flags::{flag_bits, flag_letters};
pub use read::{as_written, read_record};
pub use record::{
    BootId, Link, LinkKind, Param, ParameterKind, QueryHash, Record, RecordId, SessionId, Trial,
};
