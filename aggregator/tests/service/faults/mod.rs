//! What may happen to the real process, and that the ledger's difference is zero after each of it.
//!
//! `make test-faults` is the long form: fifty kills, and one last line of what they cost.

mod batches;
mod clock;
mod crowd;
mod damage;
mod disk;
mod kills;
