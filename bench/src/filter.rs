//! What the filter costs: CPU of one Envoy worker per request, as differences in one run.

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::envoy::{Envoy, Filter};
use crate::load;
use crate::report::{median, write_json};

/// Connections that keep the worker busy without a queue.
const CONNECTIONS: u32 = 8;
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

#[derive(Args)]
pub(crate) struct Arguments {
    /// Requests per round and variant.
    #[arg(long, default_value_t = 40_000)]
    requests: u32,
    /// Rounds; each runs every variant once, in turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
}

/// Runs the benchmark.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let built = demo::repository().join("target/filter");
    let ours = built.join("throughline.wasm");
    let wasm_bytes = std::fs::metadata(&ours)
        .with_context(|| ours.display().to_string())?
        .len();
    let filters = [
        ("no filter", None),
        (
            "empty filter",
            Some((built.join("empty.wasm"), String::new())),
        ),
        ("throughline", Some((ours, CONFIGURATION.to_owned()))),
    ];
    let folder = tempfile::tempdir()?;
    let aggregator = load::swallow().await?;
    let mut variants = Vec::new();
    for (name, filter) in filters {
        let filter = filter.map(|(file, configuration)| Filter {
            file,
            configuration,
        });
        let envoy = Envoy::start(name, filter.as_ref(), aggregator, folder.path()).await?;
        load::send(envoy.ingress, arguments.requests / 4, CONNECTIONS).await?;
        variants.push((name, envoy, Vec::new()));
    }
    for _ in 0..arguments.rounds {
        for (_, envoy, figures) in &mut variants {
            let before = envoy.cpu_us()?;
            load::send(envoy.ingress, arguments.requests, CONNECTIONS).await?;
            let used = u32::try_from(envoy.cpu_us()?.saturating_sub(before))?;
            figures.push(f64::from(used) / f64::from(arguments.requests));
        }
    }
    let figures: Vec<_> = variants
        .iter()
        .map(|(name, _, figures)| (*name, figures.clone()))
        .collect();
    report(&figures, wasm_bytes, arguments)
}

fn report(
    variants: &[(&str, Vec<f64>)],
    wasm_bytes: u64,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    println!("Envoy's CPU per request, µs, one worker, direct response, 13 headers");
    println!(
        "{} rounds of {} requests each",
        arguments.rounds, arguments.requests
    );
    println!(
        "{:<14} {:>8} {:>8} {:>8} {:>14}",
        "", "median", "min", "max", "over no filter"
    );
    // Paired by round: what the machine does to one variant it does to the next.
    let over = |index: usize| -> Vec<f64> {
        let (Some((_, base)), Some((_, own))) = (variants.first(), variants.get(index)) else {
            return Vec::new();
        };
        own.iter().zip(base).map(|(own, base)| own - base).collect()
    };
    for (index, (name, figures)) in variants.iter().enumerate() {
        let min = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let max = figures.iter().copied().fold(0.0, f64::max);
        let (middle, above) = (median(figures), median(&over(index)));
        println!("{name:<14} {middle:>8.1} {min:>8.1} {max:>8.1} {above:>+14.1}");
    }
    let middle = |index: usize| {
        variants
            .get(index)
            .map_or(f64::NAN, |(_, figures)| median(figures))
    };
    let (empty_over, ours_over) = (median(&over(1)), median(&over(2)));
    write_json(
        "filter",
        &json!({
            "requests": arguments.requests, "rounds": arguments.rounds, "wasm_bytes": wasm_bytes,
            "cpu_us": variants.iter().map(|(name, figures)| (*name, figures.clone()))
                .collect::<std::collections::BTreeMap<_, _>>(),
            "empty_over_none_us": empty_over, "ours_over_none_us": ours_over,
        }),
    )?;
    println!(
        "bench-filter: none_us={:.1} empty_us={:.1} ours_us={:.1} empty_over_none_us={empty_over:.1} \
         ours_over_none_us={ours_over:.1} wasm_kib={}",
        middle(0),
        middle(1),
        middle(2),
        wasm_bytes / 1024
    );
    Ok(())
}
