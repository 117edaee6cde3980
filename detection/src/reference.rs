//! detectors and features → `docs/detectors/`: the pages are written by this code, and a test
//! fails when one is stale.

use crate::detectors::{self, About, Weight};
use crate::features::{self, Direction};
use crate::verdicts::Sensitivity;

/// Every page: file name and text.
#[must_use]
pub fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("README.md".to_owned(), overview()),
        ("features.md".to_owned(), feature_list()),
    ];
    let page = |about: &About| (format!("{}.md", about.name), detector(about));
    pages.extend(detectors::abouts().map(page));
    pages
}

const NOTE: &str = "<!-- Written by detection/src/reference.rs; change the code, then run \
                    `UPDATE_DOCS=1 cargo test -p throughline-detection --test reference`. -->\n";

fn role(weight: Weight) -> (&'static str, f64) {
    match weight {
        Weight::Abuse(most) => ("shows abuse", most),
        Weight::Machine(most) => ("shows a machine; makes no verdict alone", most),
    }
}

fn name_of(about: &About) -> String {
    let mut name = about.name.replace('_', " ");
    if let Some(first) = name.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn detector(about: &About) -> String {
    let (role, most) = role(about.weight);
    let side = if about.below { "at most" } else { "at least" };
    let bot_type = format!("{:?}", about.bot_type);
    let rows = [
        ("Name in profiles", format!("`{}`", about.name)),
        ("Bot type", bot_type),
        ("Its vote", format!("{role}; at most {most:.2} sure")),
        ("Measures", about.unit.to_owned()),
        ("Over", about.window.to_owned()),
        ("Votes", format!("{side} {} (cold start)", about.limit)),
    ];
    let mut text = format!(
        "{NOTE}\n# {}\n\n{}\n\n| | |\n|---|---|\n",
        name_of(about),
        about.summary
    );
    for (key, value) in rows {
        text.push_str(&format!("| {key} | {value} |\n"));
    }
    for (title, words) in [
        ("Enough evidence", about.enough),
        ("Why this limit", about.why),
        ("How it fails", about.fails),
        ("How to tune it", about.tune),
    ] {
        text.push_str(&format!("\n## {title}\n\n{words}\n"));
    }
    text
}

fn overview() -> String {
    let mut text = format!(
        "{NOTE}\n# Detectors\n\nEach detector judges one kind of behaviour of a session and casts a \
         vote with its evidence: the measured value, the limit, where the limit comes from, the \
         window and the requests that show it. Where it has not enough evidence it says so and \
         casts none. [Features](features.md) lists what the learnt model reads.\n\n\
         | detector | finds | its vote |\n|---|---|---|\n"
    );
    for about in detectors::abouts() {
        let (role, _) = role(about.weight);
        let line = format!(
            "| [{}]({}.md) | {} | {role} |\n",
            about.name, about.name, about.summary
        );
        text.push_str(&line);
    }
    text.push_str(
        "\n## From votes to a verdict\n\nA vote is worth .85 of its detector's weight at the \
         limit and .98 at twice the limit. Votes that show abuse are combined as independent \
         evidence, `1 - (1 - a)(1 - b)…`. Votes that show a machine lessen at most half of the \
         remaining doubt, in proportion to what the others found: without them they do nothing. \
         The bot type is that of the strongest vote.\n\n\
         | sensitivity | flags from confidence | meant for |\n|---|--:|---|\n",
    );
    for (sensitivity, purpose) in [
        (
            Sensitivity::Low,
            "blocking: at most one honest client in a thousand",
        ),
        (
            Sensitivity::Medium,
            "throttling and alerts: at most one in five hundred",
        ),
        (Sensitivity::High, "looking at: more likely than not"),
    ] {
        let least = sensitivity.confidence_min();
        text.push_str(&format!("| {sensitivity:?} | {least:.2} | {purpose} |\n"));
    }
    text.push_str(
        "\nAn application is *learning* until 100 sessions are remembered of 200 seen, over six \
         hours; until then the limits written on these pages hold, afterwards those that are \
         learnt from its own sessions, where a page says so. A *known machine client* (own key, \
         sixty requests over an hour or more, few endpoints, one or two addresses, hardly a miss) \
         gets no vote for being a machine or for reading much. Refusals by Throughline or Envoy \
         and outages of the upstream feed nothing.\n",
    );
    text
}

fn feature_list() -> String {
    let mut text = format!(
        "{NOTE}\n# Features\n\nNumbers about a visit. Each is also ranked among the sessions of \
         its application at 3, 10 and 40 requests (0 lowest, 1 highest), so that it means the same \
         elsewhere. *Machine* and *person* say which way a feature points; the learnt model cannot \
         contradict it.\n"
    );
    for group in features::ALL {
        text.push_str(&format!(
            "\n## {}\n\n| feature | points to | |\n|---|---|---|\n",
            group.name
        ));
        for feature in group.features {
            let direction = match feature.direction {
                Direction::Machine => "machine",
                Direction::Person => "person",
                Direction::Either => "either",
            };
            text.push_str(&format!(
                "| {} | {direction} | {} |\n",
                feature.name, feature.summary
            ));
        }
    }
    text
}
