//! Learnt from labels: boosted trees over features and their ranks.

pub mod trees;
