//! The labelled public log by its protocol, where it lies beside the repository.

use std::path::Path;

use throughline_detection::evaluate::{
    self, AccessLog, Groups, Hide, Labels, Plan, Ranking, Samples,
};
use throughline_detection::model::trees::Options;

#[test]
fn ranks_a_site_nobody_tuned_for() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SITE_DATA").map_or(beside, Into::into);
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let (Some(log), Some(labels)) = (read("site-2015.log"), read("site-2015.labels.tsv")) else {
        println!("skipped: ../shared/data/site-2015.log is not beside the repository");
        return;
    };
    let log = String::from_utf8_lossy(&log);
    let labels = Labels::read(&String::from_utf8_lossy(&labels)).unwrap();
    let hide = Hide {
        user_agent: true,
        robots: true,
    };
    let visits = evaluate::watch(&AccessLog(&log), hide, false);
    let samples = Samples::join(visits, &labels, 3);
    let counts = samples.counts;
    assert_eq!(
        (counts.people, counts.bots),
        (655, 234),
        "the protocol's sessions"
    );
    // Fewer trees than the default: this is a test, not the evaluation.
    let plan = Plan {
        options: Options {
            trees: 60,
            rate: 0.15,
            ..Options::default()
        },
        folds: &[Groups::Address, Groups::UserAgent],
        elsewhere: None,
    };
    let report = evaluate::evaluate(&samples, &plan);
    for (ranking, least) in [
        (Ranking::Rules, 0.95),
        (Ranking::FoldsIp, 0.99),
        (Ranking::FoldsUserAgent, 0.985),
    ] {
        let auc = report.figures(ranking, None).map_or(0.0, |it| it.auc.value);
        assert!(auc >= least, "{ranking:?}\n{}", report.markdown());
    }
    let again = evaluate::evaluate(&samples, &plan);
    assert_eq!(report.markdown(), again.markdown(), "the same twice");
}
