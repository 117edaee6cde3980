//! A short examination: what no change may break. `make evaluate` is the long one.

use stage::Setup;
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
            std::thread::spawn(move || stage::perform(&Scene::of(seed, SCALE), &Setup::default()))
        })
        .collect();
    let outcomes = runs
        .into_iter()
        .flat_map(|run| run.join().unwrap().unwrap());
    let report = Report::of(&outcomes.collect::<Vec<_>>());
    println!("{}", report.markdown());
    // Ten clients of each class: one may get away, two of the class that hides best.
    for row in &report.bots {
        let least = match row.actor.as_str() {
            "slow_stuffer" => 0.8,
            _ => 0.9,
        };
        let recall = row.medium.share();
        assert!(recall >= least, "{}: recall {recall:.2}", row.actor);
    }
    for row in [&report.people, &report.machines] {
        let share = row.medium.share();
        assert!(
            share <= 0.005,
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
        let setup = Setup {
            policy: Policy::Shipped,
            ..Setup::default()
        };
        let outcomes = stage::perform(&scene, &setup).unwrap();
        serde_json::to_string(&outcomes).unwrap()
    };
    assert_eq!(play(203), play(203));
    assert_ne!(play(203), play(204));
}
