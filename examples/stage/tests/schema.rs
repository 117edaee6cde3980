//! Every line that the filter writes fits `docs/ingest.schema.json`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the schema is ours: what makes no sense in it is a failure with a line number"
)]

use std::sync::mpsc;

use stage::filter::{Filter, Policy};
use stage::play;
use stage::scene::Scene;

#[path = "../../../aggregator/src/fits.rs"]
mod fits;

#[test]
fn what_the_filter_writes_fits_the_schema() {
    let schema = serde_json::from_str(include_str!("../../../docs/ingest.schema.json")).unwrap();
    for policy in [Policy::Shipped, Policy::Complete] {
        let (sender, receiver) = mpsc::sync_channel(4096);
        let scene = Scene::of(205, 0.02);
        let playing = std::thread::spawn(move || play::play(&scene, sender).unwrap());
        let mut filter = Filter::new(205, policy).unwrap();
        let mut batches = Vec::new();
        for passing in receiver {
            batches.extend(filter.pass(passing).unwrap());
        }
        playing.join().unwrap();
        batches.extend(filter.finish().unwrap());
        let (mut lines, mut with) = (0, [("links", 0), ("params", 0), ("query_names", 0)]);
        for line in batches
            .iter()
            .flat_map(|batch| batch.split(|byte| *byte == b'\n'))
        {
            if line.is_empty() {
                continue;
            }
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert!(fits::fits(&schema, &schema, &value), "{value}");
            lines += 1;
            for (name, times) in &mut with {
                *times += usize::from(value.get(*name).is_some());
            }
        }
        assert!(lines > 1_000, "hardly anything was written: {lines}");
        let expected = policy == Policy::Complete;
        assert!(
            with.iter().all(|(_, times)| *times > 0 || !expected),
            "{with:?}"
        );
    }
}
