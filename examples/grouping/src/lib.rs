//! Does better grouping find more bots? The same recorded traffic under different groupings, scored
//! by the true client; see `docs/GROUPING.md`.
//!
//! [`scenes`]: a seed → who plays → [`record`]: exchanges, once → [`arms`]: what makes a session →
//! [`replay`]: the filter's own code → records → [`regroup`]: what an arm may know → [`listen`]:
//! what detection says → [`score`]: the same beside the truth, per client, and [`cubed`], how true
//! the sessions are → [`figures`] → [`report`] and [`pictures`]. [`public_log`] stands apart.
//!
//! Architecture invariant: the truth goes from `record` to `score` and `cubed`, and nowhere else.

pub mod arms;
pub mod bootstrap;
pub mod cubed;
pub mod figures;
pub mod listen;
pub mod pictures;
pub mod public_log;
pub mod record;
pub mod regroup;
pub mod replay;
pub mod report;
pub mod run;
pub mod scenes;
pub mod score;
