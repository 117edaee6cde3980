//! A short examination: what no change may break. `make evaluate` is the long one.

use stage::filter::Policy;
use stage::report::Report;
use stage::scene::Scene;

/// Fewer honest clients than in the long one.
const SCALE: f64 = 0.3;

#[test]
fn detection_has_not_collapsed() {
    let runs: Vec<_> = [201, 202]
        .into_iter()
        .map(|seed| {
            std::thread::spawn(move || stage::perform(&Scene::of(seed, SCALE), Policy::Complete))
        })
        .collect();
    let outcomes = runs
        .into_iter()
        .flat_map(|run| run.join().unwrap().unwrap());
    let report = Report::of(&outcomes.collect::<Vec<_>>());
    println!("{}", report.markdown());
    let recall: f64 = report.bots.iter().map(|row| row.medium.share()).sum();
    let recall = recall / report.bots.len() as f64;
    assert!(recall >= 0.7, "the classes' mean recall is {recall:.2}");
    for (row, most) in [(&report.people, 0.03), (&report.machines, 0.03)] {
        let share = row.medium.share();
        assert!(
            share <= most,
            "{share:.3} of honest {} are flagged",
            row.actor
        );
        assert!(
            row.medium.all >= 100,
            "too few {} to say anything",
            row.actor
        );
    }
}

#[test]
fn a_seed_is_a_scene() {
    let play = |seed| {
        let scene = Scene::of(seed, 0.02);
        let outcomes = stage::perform(&scene, Policy::Shipped).unwrap();
        serde_json::to_string(&outcomes).unwrap()
    };
    assert_eq!(play(203), play(203));
    assert_ne!(play(203), play(204));
}
