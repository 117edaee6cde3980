//! A store of millions of records, the real process over it, and what it takes to answer.

mod ask;
mod fill;
mod measure;
mod questions;
mod sender;
mod service;

use clap::Args;

pub(crate) use measure::run;

/// How large and how long.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Records in the store, one measurement for each number: 5000000,10000000,20000000 shows how
    /// the answers grow.
    #[arg(
        long,
        env = "BENCH_RECORDS",
        value_delimiter = ',',
        default_value = "5000000"
    )]
    records: Vec<u64>,
    /// How often each question is asked.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 20)]
    rounds: u32,
    /// Records a second that come in meanwhile, in the place of the benchmark's own number. With 0, the
    /// processor's time of each answer is told too: it says more on a machine that others use.
    #[arg(long, env = "BENCH_RATE")]
    rate: Option<u64>,
    /// Only questions whose name contains this.
    #[arg(long, env = "BENCH_ONLY", default_value = "")]
    only: String,
}

/// Which benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bench {
    /// One client while 20,000 records a second come in; then a restart.
    Query,
    /// Two clients while 5,000 records a second come in.
    Api,
}

impl Bench {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Api => "api",
        }
    }

    fn clients(self) -> u32 {
        match self {
            Self::Query => 1,
            Self::Api => 2,
        }
    }

    fn records_per_s(self) -> u64 {
        match self {
            Self::Query => 20_000,
            Self::Api => 5_000,
        }
    }

    /// Groups of questions that its last line names.
    fn line(self) -> &'static [&'static str] {
        match self {
            Self::Query => &["list", "session", "endpoints"],
            Self::Api => &["list", "session", "facets", "endpoints", "flow"],
        }
    }
}
