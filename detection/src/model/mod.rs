//! Learnt from labels: boosted trees over features and their ranks.

mod grow;
pub mod trees;
