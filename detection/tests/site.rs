//! The labelled public log by its protocol, where it lies beside the repository.

use std::path::Path;

use throughline_detection::evaluate::{self, Hide, Labelled};
use throughline_detection::model::trees::Options;

#[test]
fn ranks_a_site_nobody_tuned_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let (Some(log), Some(labels)) = (read("site-2015.log"), read("site-2015.labels.tsv")) else {
        println!("skipped: ../shared/data/site-2015.log is not beside the repository");
        return;
    };
    let (log, labels) = (
        String::from_utf8_lossy(&log),
        String::from_utf8_lossy(&labels),
    );
    let traffic = Labelled {
        log: &log,
        labels: &labels,
    };
    let hide = Hide {
        user_agent: true,
        robots: true,
    };
    let samples = evaluate::collect(traffic, hide, 3, false);
    let bots = samples.iter().filter(|sample| sample.bot).count();
    assert_eq!((samples.len(), bots), (889, 234), "the protocol's sessions");
    // Fewer trees than the default: this is a test, not the evaluation.
    let options = Options {
        trees: 60,
        rate: 0.15,
        ..Options::default()
    };
    let report = evaluate::evaluate(&samples, &options, None);
    let auc = |name: &str| report.scores(name, "end").map_or(0.0, |scores| scores.auc);
    assert!(auc("rules") >= 0.95, "{}", report.markdown());
    assert!(
        auc("model, folds by address") >= 0.99,
        "{}",
        report.markdown()
    );
    assert!(
        auc("model, folds by user agent") >= 0.985,
        "{}",
        report.markdown()
    );
    let again = evaluate::evaluate(&samples, &options, None);
    assert_eq!(report.markdown(), again.markdown(), "the same twice");
}
