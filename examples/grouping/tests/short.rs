//! A short form of `make prove-grouping`: what no change may break. Fewer seeds, fewer honest clients.

use grouping::figures::Figures;
use grouping::run::{Plan, play, play_all};

const PLAN: Plan<'static> = Plan {
    scale: 0.2,
    jobs: 2,
    folder: None,
};

#[test]
fn fitted_grouping_finds_more_and_wrongs_fewer() {
    let tuning = play_all(&[201], &PLAN).unwrap();
    let scoring = play_all(&[202], &PLAN).unwrap();
    let figures = Figures::of(&tuning, &scoring);
    println!("{}", grouping::report::markdown(&figures));
    let arm = |name| figures.arm(name).unwrap();
    let (links, ip_user_agent) = (arm("links"), arm("ip_user_agent"));
    assert!(links.recall.value >= 0.75, "recall {}", links.recall.value);
    let better = figures.difference("links", "ip_user_agent").value;
    assert!(better >= 0.3, "E − B: {better:.3}");
    let wronged = links.wronged_medium.share();
    assert!(
        wronged <= 0.01,
        "E wrongs {wronged:.3} of all honest clients"
    );
    assert!(ip_user_agent.wronged_medium.hits > links.wronged_medium.hits);
    // Forty people behind one address, and a stuffer.
    let by_address = arm("ip").scene("nat").unwrap().wronged_medium.hits;
    assert!(by_address >= 10, "A hits {by_address} people of the office");
    assert_eq!(links.scene("nat").unwrap().wronged_medium.hits, 0);
    // Without links a bot is in pieces; with them it is one client.
    assert!(links.recall_of_sessions > arm("fitted").recall_of_sessions + 0.1);
    assert!(
        links.precision > 0.95,
        "sessions' precision {}",
        links.precision
    );
    // Sessions of the same sizes without their sense are worth nothing.
    let placebo = arm("placebo");
    assert!(placebo.precision < 0.5 && placebo.recall.value < links.recall.value);
}

#[test]
fn a_seed_is_a_scene() {
    let play = |seed| {
        let played = play(4, seed, 0.05).unwrap();
        serde_json::to_string(&played).unwrap()
    };
    assert_eq!(play(203), play(203));
    assert_ne!(play(203), play(204));
}
