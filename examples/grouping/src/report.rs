//! figures → tables for people, the last line for machines.

use throughline_detection::FINGERPRINT;
use throughline_detection::evaluate::{Figure, Rate};

use crate::arms::{self, Arm};
use crate::figures::{Figures, InScene, LIMITS, OfArm, low};
use crate::scenes;

/// All tables, as `docs/grouping.snapshot.md` keeps them.
#[must_use]
pub fn markdown(figures: &Figures) -> String {
    let mut text = String::new();
    let [tuning, scoring] = figures.seeds;
    text += &format!(
        "{tuning} seeds for thresholds, {scoring} scored with {} requests and at least {} honest clients each; \
         detection's fingerprint {FINGERPRINT}.\n\n",
        figures.requests, figures.honest_min
    );
    for table in [
        arms_table,
        differences,
        precision,
        sessions,
        recall_at,
        by_scene,
        collateral,
        requests,
        by_whom,
    ] {
        text += &table(figures);
        text.push('\n');
    }
    text
}

/// The keys of the last line.
#[must_use]
pub fn keys(figures: &Figures) -> String {
    let recall = |name| figures.arm(name).map_or(0.0, |arm| arm.recall.value);
    let collateral = |name| {
        let scene = figures.arm(name).and_then(|arm| arm.scene("nat"));
        number(scene.and_then(InScene::collateral))
    };
    format!(
        "recall_ipua={:.3} recall_builtin={:.3} recall_custom={:.3} recall_links={:.3} collateral_ip={} \
         collateral_links={} delta_ci_low={:.3} placebo_delta={:.3}",
        recall("ip_user_agent"),
        recall("builtin"),
        recall("fitted"),
        recall("links"),
        collateral("ip"),
        collateral("links"),
        low(figures.difference("links", "ip_user_agent")),
        figures.difference("placebo", "ip_user_agent").value
    )
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(
        || "none".to_owned(),
        |it| {
            if it.is_infinite() {
                "inf".to_owned()
            } else {
                format!("{it:.2}")
            }
        },
    )
}

fn between(figure: Figure) -> String {
    let (low, high) = (figure.interval.low, figure.interval.high);
    format!("{:.3} ({low:.3}–{high:.3})", figure.value)
}

fn of(rate: Rate) -> String {
    format!("{} of {}", rate.hits, rate.all)
}

/// A heading, then a row for each arm.
fn rows(head: &str, figures: &Figures, row: impl Fn(&Arm, &OfArm) -> String) -> String {
    let mut text = head.to_owned();
    for (arm, of) in arms::ALL.iter().zip(&figures.arms) {
        text += &format!("| {} | {}\n", arm.label, row(arm, of));
    }
    text
}

fn arms_table(figures: &Figures) -> String {
    let head = "### By arm\n\n\
        | arm | what makes a session | threshold | macro recall (95 %) | honest clients hit | macro recall at medium | honest hit at medium |\n\
        |---|---|--:|---|--:|--:|--:|\n";
    rows(head, figures, |arm, of_arm| {
        format!(
            "{} | {:.5} | {} | {} | {:.3} | {} |",
            arm.title,
            of_arm.threshold,
            between(of_arm.recall),
            of(of_arm.wronged),
            of_arm.recall_medium,
            of(of_arm.wronged_medium)
        )
    })
}

fn differences(figures: &Figures) -> String {
    let mut text =
        "### Differences in macro recall\n\n| arms | difference (95 %) |\n|---|---|\n".to_owned();
    let label = |name| arms::ALL.get(arms::place(name)).map_or("", |arm| arm.label);
    for it in &figures.differences {
        let (arm, against) = (label(it.arm), label(it.against));
        text += &format!("| {arm} − {against} | {} |\n", between(it.value));
    }
    text
}

fn precision(figures: &Figures) -> String {
    let head = "### Of those hit, how many are bots\n\n\
        With the share of honest clients that was hit, and in brackets with the upper end of what that share may be (95 %).\n\n\
        | arm | where 1 % are bots | where 0.1 % are |\n|---|---|---|\n";
    rows(head, figures, |_, of_arm| {
        let cells = of_arm.precision_at.iter();
        let cells = cells.map(|(seen, least)| format!("{seen:.3} ({least:.3}) |"));
        cells.collect::<Vec<_>>().join(" ")
    })
}

fn sessions(figures: &Figures) -> String {
    let head = "### How true the sessions are\n\n\
        | arm | sessions per client | B-cubed precision | B-cubed recall | F |\n|---|--:|--:|--:|--:|\n";
    rows(head, figures, |_, of_arm| {
        let (precision, recall) = (of_arm.precision, of_arm.recall_of_sessions);
        let both = 2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE);
        format!(
            "{:.2} | {precision:.3} | {recall:.3} | {both:.3} |",
            of_arm.sessions_per_client
        )
    })
}

fn recall_at(figures: &Figures) -> String {
    let mut head = "### Macro recall at fixed false positives\n\n\
        Thresholds at which so many honest clients of the tuning seeds are hit at most.\n\n| arm |"
        .to_owned();
    for limit in LIMITS {
        head += &format!(" {:.1} % |", limit * 100.0);
    }
    head += "\n|---|--:|--:|--:|--:|\n";
    rows(&head, figures, |_, of_arm| {
        let cells = of_arm
            .recall_at
            .iter()
            .map(|recall| format!("{recall:.3} |"));
        cells.collect::<Vec<_>>().join(" ")
    })
}

/// A row for each scene, a column for each arm.
fn grid(title: &str, figures: &Figures, cell: impl Fn(&InScene) -> String) -> String {
    let mut text = format!("### {title}\n\n| scene |");
    for arm in arms::ALL {
        text += &format!(" {} |", arm.label);
    }
    text += "\n|---|";
    text += &"--:|".repeat(arms::ALL.len());
    text.push('\n');
    for scene in scenes::ALL {
        let aside = if scene.counts { "" } else { " *" };
        text += &format!("| `{}`{aside} |", scene.name);
        for arm in &figures.arms {
            text += &format!(
                " {} |",
                arm.scene(scene.name).map_or_else(String::new, &cell)
            );
        }
        text.push('\n');
    }
    text + "\n\\* not part of the macro figures.\n"
}

fn by_scene(figures: &Figures) -> String {
    grid("Bots caught, by scene", figures, |scene| of(scene.caught))
        + "\n"
        + &grid("Honest clients hit, by scene", figures, |scene| {
            of(scene.wronged)
        })
}

fn collateral(figures: &Figures) -> String {
    grid(
        "At sensitivity medium: bots caught, honest clients hit, and the latter for each of the former",
        figures,
        |scene| {
            format!(
                "{}/{}, {}: {}",
                scene.caught_medium.hits,
                scene.caught_medium.all,
                scene.wronged_medium.hits,
                number(scene.collateral())
            )
        },
    )
}

fn requests(figures: &Figures) -> String {
    grid(
        "Requests until the verdict, median over bots",
        figures,
        |scene| {
            scene
                .requests_median
                .map_or_else(|| "never".to_owned(), |it| it.to_string())
        },
    )
}

fn by_whom(figures: &Figures) -> String {
    let mut text = "### What told\n\n\
        The strongest detector of the verdict on bots (at the arm's threshold) and on honest clients (at medium), the two most frequent.\n\n\
        | scene | arm | bots | honest clients |\n|---|---|---|---|\n"
        .to_owned();
    let top = |list: &[(String, usize)]| {
        let top = list
            .iter()
            .take(2)
            .map(|(name, count)| format!("{name} {count}"));
        top.collect::<Vec<_>>().join(", ")
    };
    for scene in scenes::ALL {
        let named = arms::ALL
            .iter()
            .zip(&figures.arms)
            .filter(|(arm, _)| !arm.control);
        for (arm, of_arm) in named {
            let Some(of_scene) = of_arm.scene(scene.name) else {
                continue;
            };
            let (bots, honest) = (top(&of_scene.caught_by), top(&of_scene.wronged_by));
            text += &format!("| `{}` | {} | {bots} | {honest} |\n", scene.name, arm.label);
        }
    }
    text
}
