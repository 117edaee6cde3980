//! figures → pictures: plain SVG, readable on light and dark pages.

use crate::arms;
use crate::figures::{Figures, OfArm};
use crate::scenes;

/// A picture's file name and text.
pub type Picture = (&'static str, String);

/// All of them.
#[must_use]
pub fn all(figures: &Figures) -> Vec<Picture> {
    vec![
        ("grouping-recall.svg", recall(figures)),
        ("grouping-scenes.svg", by_scene(figures)),
        ("grouping-collateral.svg", collateral(figures)),
        ("grouping-requests.svg", requests(figures)),
        ("grouping-sessions.svg", sessions(figures)),
    ]
}

const STYLE: &str = "<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}.m{fill:#57606a;font-size:12px}
.b{fill:#0969da}.c{fill:#8c959f}.w{stroke:#24292f;stroke-width:1.5}.g{stroke:#d0d7de}.l{fill:none;stroke-width:2}
.on{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.m{fill:#9198a1}.b{fill:#4493f8}.c{fill:#656c76}.w{stroke:#e6edf3}
.g{stroke:#3d444d}.on{fill:#0d1117}}
</style>";

/// Strokes of the arms A to E, told apart on white and on black; dashes tell them apart without colour.
const STROKES: [(&str, &str); 6] = [
    ("#bf8700", "2 3"),
    ("#cf222e", "6 3"),
    ("#8250df", "1 2"),
    ("#bf3989", "8 2 2 2"),
    ("#1a7f37", "10 4"),
    ("#0969da", ""),
];

fn frame(width: u32, height: u32, title: &str, inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n{STYLE}\n<text class=\"t\" x=\"12\" y=\"22\">{title}</text>\n{inside}</svg>\n"
    )
}

/// Horizontal bars with a scale from 0 to 1, one for each arm.
fn recall(figures: &Figures) -> String {
    const LEFT: f64 = 250.0;
    const WIDE: f64 = 400.0;
    let mut inside = String::new();
    for tenth in (0..=10).step_by(2) {
        let at = f64::from(tenth) / 10.0;
        let x = LEFT + WIDE * at;
        inside += &format!(
            "<line class=\"g\" x1=\"{x:.0}\" y1=\"40\" x2=\"{x:.0}\" y2=\"318\"/><text class=\"m\" x=\"{x:.0}\" y=\"336\" text-anchor=\"middle\">{at:.1}</text>\n"
        );
    }
    for (row, (arm, of)) in (0_u32..).zip(arms::ALL.iter().zip(&figures.arms)) {
        let y = 46.0 + 30.0 * f64::from(row);
        let class = if arm.control { "c" } else { "b" };
        let (low, high) = (of.recall.interval.low, of.recall.interval.high);
        inside += &format!(
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{} {}</text><rect class=\"{class}\" x=\"{LEFT}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"20\" rx=\"2\"/><line class=\"w\" x1=\"{:.1}\" y1=\"{:.0}\" x2=\"{:.1}\" y2=\"{:.0}\"/><text x=\"{:.0}\" y=\"{:.0}\">{:.3}</text>\n",
            LEFT - 8.0,
            y + 15.0,
            arm.label,
            if arm.control { "" } else { arm.title },
            (WIDE * of.recall.value).max(1.0),
            LEFT + WIDE * low,
            y + 10.0,
            LEFT + WIDE * high,
            y + 10.0,
            LEFT + WIDE + 12.0,
            y + 15.0,
            of.recall.value
        );
    }
    let title = "Bots caught, mean of seven scenes, at one honest client in a thousand hit";
    frame(720, 346, title, &inside)
}

/// Scenes by arms, darker where more bots are caught.
fn by_scene(figures: &Figures) -> String {
    const CELL: (f64, f64) = (64.0, 30.0);
    let mut inside = String::new();
    for (column, arm) in (0_u32..).zip(arms::ALL) {
        let x = 110.0 + CELL.0 * (f64::from(column) + 0.5);
        inside += &format!(
            "<text class=\"m\" x=\"{x:.0}\" y=\"48\" text-anchor=\"middle\">{}</text>\n",
            arm.label
        );
    }
    for (row, scene) in (0_u32..).zip(scenes::ALL) {
        let y = 58.0 + CELL.1 * f64::from(row);
        let aside = if scene.counts { "" } else { " *" };
        inside += &format!(
            "<text x=\"102\" y=\"{:.0}\" text-anchor=\"end\">{}{aside}</text>\n",
            y + 19.0,
            scene.name
        );
        for (column, of_scene) in
            (0_u32..).zip(figures.arms.iter().map(|arm| arm.scene(scene.name)))
        {
            let share = of_scene.map_or(0.0, |it| it.caught.share());
            let x = 110.0 + CELL.0 * f64::from(column);
            let class = if share > 0.5 { " class=\"on\"" } else { "" };
            inside += &format!(
                "<rect class=\"b\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"60\" height=\"26\" rx=\"2\" fill-opacity=\"{:.2}\"/><text{class} x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{share:.2}</text>\n",
                0.06 + 0.94 * share,
                x + 30.0,
                y + 18.0
            );
        }
    }
    inside += "<text class=\"m\" x=\"12\" y=\"318\">* not part of the mean</text>\n";
    frame(720, 328, "Share of bots caught, by scene", &inside)
}

/// Honest clients hit at the product's default for each bot caught, in offices.
fn collateral(figures: &Figures) -> String {
    const WIDE: f64 = 420.0;
    let mut inside = String::new();
    let shown = arms::ALL
        .iter()
        .zip(&figures.arms)
        .filter(|(arm, _)| !arm.control);
    for (row, (arm, of)) in (0_u32..).zip(shown) {
        let y = 46.0 + 30.0 * f64::from(row);
        let scene = of.scene("nat");
        let (wronged, caught) =
            scene.map_or((0, 0), |it| (it.wronged_medium.hits, it.caught_medium.hits));
        let each = if caught > 0 {
            wronged as f64 / caught as f64
        } else {
            0.0
        };
        inside += &format!(
            "<text x=\"38\" y=\"{:.0}\" text-anchor=\"end\">{}</text><rect class=\"b\" x=\"46\" y=\"{y:.0}\" width=\"{:.1}\" height=\"20\" rx=\"2\"/><text x=\"{:.0}\" y=\"{:.0}\">{}</text>\n",
            y + 15.0,
            arm.label,
            (WIDE * each / 250.0).clamp(1.0, WIDE),
            54.0 + (WIDE * each / 250.0).clamp(1.0, WIDE),
            y + 15.0,
            if caught > 0 {
                format!("{each:.1} each: {caught} bots caught, {wronged} honest clients hit")
            } else {
                format!("no bot caught, {wronged} honest clients hit")
            }
        );
    }
    let title = "Behind one address: honest clients hit for each bot caught (sensitivity medium)";
    frame(720, 240, title, &inside)
}

/// How soon the rotating scrapers are caught.
fn requests(figures: &Figures) -> String {
    const ROOM: (f64, f64) = (560.0, 200.0);
    const MOST: f64 = 100.0;
    let mut inside = String::new();
    for (share, y) in [(0.0, 250.0), (0.5, 150.0), (1.0, 50.0)] {
        inside += &format!(
            "<line class=\"g\" x1=\"50\" y1=\"{y}\" x2=\"610\" y2=\"{y}\"/><text class=\"m\" x=\"42\" y=\"{:.0}\" text-anchor=\"end\">{share:.1}</text>\n",
            y + 4.0
        );
    }
    for requests in (0..=100).step_by(20) {
        let x = 50.0 + ROOM.0 * f64::from(requests) / MOST;
        inside += &format!(
            "<text class=\"m\" x=\"{x:.0}\" y=\"268\" text-anchor=\"middle\">{requests}</text>\n"
        );
    }
    let shown = arms::ALL
        .iter()
        .zip(&figures.arms)
        .filter(|(arm, _)| !arm.control);
    for (row, ((arm, of), (stroke, dash))) in (0_u32..).zip(shown.zip(STROKES)) {
        let y = 60.0 + 20.0 * f64::from(row);
        inside += &format!(
            "<path class=\"l\" stroke=\"{stroke}\" stroke-dasharray=\"{dash}\" d=\"{}\"/><path class=\"l\" stroke=\"{stroke}\" stroke-dasharray=\"{dash}\" d=\"M624 {y}h28\"/><text x=\"660\" y=\"{:.0}\">{}</text>\n",
            steps(of, ROOM, MOST),
            y + 4.0,
            arm.label
        );
    }
    inside += "<text class=\"m\" x=\"330\" y=\"286\" text-anchor=\"middle\">requests of the scraper</text>\n";
    frame(
        720,
        296,
        "A scraper on 300 addresses: share caught after so many requests",
        &inside,
    )
}

fn steps(of: &OfArm, room: (f64, f64), most: f64) -> String {
    let mut path = "M50 250".to_owned();
    if let Some(scene) = of.scene("rotation") {
        let all = scene.caught.all.max(1) as f64;
        for (caught, after) in (1_u32..).zip(&scene.requests) {
            let x = 50.0 + room.0 * (f64::from(*after) / most).min(1.0);
            let y = 250.0 - room.1 * f64::from(caught) / all;
            path += &format!("H{x:.1}V{y:.1}");
        }
    }
    path + "H610"
}

/// Precision against recall of the sessions themselves.
fn sessions(figures: &Figures) -> String {
    const ROOM: f64 = 240.0;
    let mut inside = String::new();
    for tenth in (0..=10).step_by(5) {
        let at = f64::from(tenth) / 10.0;
        let (x, y) = (60.0 + ROOM * at, 290.0 - ROOM * at);
        inside += &format!(
            "<line class=\"g\" x1=\"60\" y1=\"{y:.0}\" x2=\"300\" y2=\"{y:.0}\"/><line class=\"g\" x1=\"{x:.0}\" y1=\"50\" x2=\"{x:.0}\" y2=\"290\"/><text class=\"m\" x=\"52\" y=\"{:.0}\" text-anchor=\"end\">{at:.1}</text><text class=\"m\" x=\"{x:.0}\" y=\"306\" text-anchor=\"middle\">{at:.1}</text>\n",
            y + 4.0
        );
    }
    for (row, (arm, of)) in (0_u32..).zip(arms::ALL.iter().zip(&figures.arms)) {
        let (x, y) = (
            60.0 + ROOM * of.recall_of_sessions,
            290.0 - ROOM * of.precision,
        );
        let class = if arm.control { "c" } else { "b" };
        let at = 66.0 + 24.0 * f64::from(row);
        inside += &format!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text><text x=\"400\" y=\"{at:.0}\">{} {}</text><text class=\"m\" x=\"660\" y=\"{at:.0}\">{:.2} / {:.2}</text>\n",
            x + 7.0,
            y + 14.0 - 20.0 * f64::from(row % 2),
            arm.label,
            arm.label,
            if arm.control { "" } else { arm.title },
            of.precision,
            of.recall_of_sessions
        );
    }
    inside += "<text class=\"m\" x=\"180\" y=\"324\" text-anchor=\"middle\">recall: a client's requests in one session</text><text class=\"m\" transform=\"translate(18 170) rotate(-90)\" text-anchor=\"middle\">precision: a session's requests by one client</text>\n";
    frame(740, 334, "How true the sessions are (B-cubed)", &inside)
}
