//! What the filter costs: CPU of one Envoy worker per request, as differences in one run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::envoy::{Envoy, Filter};
use crate::load::{self, Shape};
use crate::report::{median, write_json};
use crate::sources::{self, Cost, measure};

/// Connections that keep the worker busy without a queue.
pub(crate) const CONNECTIONS: u32 = 8;
const CONFIGURATION: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [
            {"name": "token", "from": {"bearer": {}}},
            {"name": "sid", "from": {"cookie": "sid"}}
        ],
        "query_values": ["page"]
    }
}"#;
static PLAIN: Shape = Shape::PLAIN;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Requests per round and variant; an eighth of it for each kind of rule.
    #[arg(long, default_value_t = 40_000)]
    requests: u32,
    /// Rounds; each runs every variant once, in turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
}

/// The compiled filters.
pub(crate) struct Built {
    pub(crate) ours: PathBuf,
    pub(crate) empty: PathBuf,
}

/// Name of each variant, and its µs per request of each round.
type Variants = Vec<(&'static str, Vec<f64>)>;

/// Runs the benchmark.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = demo::repository().join("target/filter");
    let built = Built {
        ours: folder.join("throughline.wasm"),
        empty: folder.join("empty.wasm"),
    };
    let wasm_bytes = std::fs::metadata(&built.ours)
        .with_context(|| built.ours.display().to_string())?
        .len();
    let folder = tempfile::tempdir()?;
    let aggregator = load::swallow().await?;
    let variants = whole(&built, arguments, aggregator, folder.path()).await?;
    let (requests, rounds) = (arguments.requests / 8, arguments.rounds);
    let costs = sources::run(&built, requests, rounds, aggregator, folder.path()).await?;
    print_variants(&variants, arguments);
    print_costs(&costs, arguments);
    let (empty_over, ours_over) = (median(&over(&variants, 1)), median(&over(&variants, 2)));
    write_json(
        "filter",
        &json!({
            "requests": arguments.requests, "rounds": arguments.rounds, "wasm_bytes": wasm_bytes,
            "cpu_us": variants.iter().cloned().collect::<BTreeMap<_, _>>(),
            "empty_over_none_us": empty_over, "ours_over_none_us": ours_over,
            "sources": costs.iter().map(|cost| (cost.name, cost.json())).collect::<BTreeMap<_, _>>(),
        }),
    )?;
    let middle = |index: usize| variants.get(index).map_or(f64::NAN, |(_, own)| median(own));
    let added: String = costs
        .iter()
        .map(|cost| format!(" {}_added_us={:.1}", cost.name, cost.added_us()))
        .collect();
    println!(
        "bench-filter: none_us={:.1} empty_us={:.1} ours_us={:.1} empty_over_none_us={empty_over:.1} \
         ours_over_none_us={ours_over:.1}{added} wasm_kib={}",
        middle(0),
        middle(1),
        middle(2),
        wasm_bytes / 1024
    );
    Ok(())
}

/// No filter, an empty one, ours with a small policy.
async fn whole(
    built: &Built,
    arguments: &Arguments,
    aggregator: SocketAddr,
    folder: &Path,
) -> anyhow::Result<Variants> {
    let filters = [
        ("no filter", None),
        ("empty filter", Some((&built.empty, ""))),
        ("throughline", Some((&built.ours, CONFIGURATION))),
    ];
    let mut variants = Vec::new();
    for (name, filter) in filters {
        let filter = filter.map(|(file, configuration)| Filter {
            file: file.clone(),
            configuration: configuration.to_owned(),
        });
        let envoy = Envoy::start(name, filter.as_ref(), aggregator, folder).await?;
        measure(&envoy, &PLAIN, arguments.requests / 4).await?;
        variants.push((name, envoy, Vec::new()));
    }
    for _ in 0..arguments.rounds {
        for (_, envoy, figures) in &mut variants {
            figures.push(measure(envoy, &PLAIN, arguments.requests).await?);
        }
    }
    Ok(variants
        .into_iter()
        .map(|(name, _, figures)| (name, figures))
        .collect())
}

/// Paired by round: what the machine does to one variant it does to the next.
fn over(variants: &Variants, index: usize) -> Vec<f64> {
    let (Some((_, base)), Some((_, own))) = (variants.first(), variants.get(index)) else {
        return Vec::new();
    };
    own.iter().zip(base).map(|(own, base)| own - base).collect()
}

fn print_variants(variants: &Variants, arguments: &Arguments) {
    println!("Envoy's CPU per request, µs, one worker, direct response, 13 headers");
    println!(
        "{} rounds of {} requests each",
        arguments.rounds, arguments.requests
    );
    println!(
        "{:<14} {:>8} {:>8} {:>8} {:>14}",
        "", "median", "min", "max", "over no filter"
    );
    for (index, (name, figures)) in variants.iter().enumerate() {
        let min = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let max = figures.iter().copied().fold(0.0, f64::max);
        let (middle, above) = (median(figures), median(&over(variants, index)));
        println!("{name:<14} {middle:>8.1} {min:>8.1} {max:>8.1} {above:>+14.1}");
    }
}

fn print_costs(costs: &[Cost], arguments: &Arguments) {
    println!();
    println!("One key rule more than the built-in ones, over the same requests");
    println!(
        "{} rounds of {} requests each; added: µs per request; the rest: multiples, the filter's own \
         share of that without the rule, and all of Envoy of that with an empty filter",
        arguments.rounds,
        arguments.requests / 8
    );
    println!(
        "{:<18} {:<10} {:>7} {:>10} {:>12}",
        "", "request", "added", "own share", "over empty"
    );
    for cost in costs {
        let (added, share, whole) = (cost.added_us(), cost.times_default(), cost.times_empty());
        println!(
            "{:<18} {:<10} {added:>+7.1} {share:>10.2} {whole:>12.2}",
            cost.name, cost.shape
        );
    }
}
