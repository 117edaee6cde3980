//! `make bench-…`: each prints a table and one line, and writes JSON under `target/bench/`.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod envoy;
mod filter;
mod ingest;
mod load;
mod report;
mod sources;
mod store;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Throughline's benchmarks")]
enum Bench {
    /// CPU of Envoy per request: no filter, an empty filter, ours, and ours with a rule of each kind.
    Filter(filter::Arguments),
    /// Ingest end to end beside a bare append: rows per second, acknowledgements, memory, disk.
    Ingest(ingest::Arguments),
    /// Answers over millions of records while 20,000 a second come in, and a restart.
    Query(store::Arguments),
    /// The same for two clients while 5,000 a second come in.
    Api(store::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Bench::parse() {
        Bench::Filter(arguments) => filter::run(&arguments).await,
        Bench::Ingest(arguments) => ingest::run(&arguments).await,
        Bench::Query(arguments) => store::run(store::Bench::Query, &arguments).await,
        Bench::Api(arguments) => store::run(store::Bench::Api, &arguments).await,
    }
}
