//! The combined log format: the common one, with referer and user agent.

use throughline_detection::event::access_log::Line;

use super::{Exchanged, Format};

pub(super) const FORMAT: Format = Format {
    name: "combined",
    meaning: "combined log format, as Apache and nginx write it",
    read,
};

fn read(line: &str) -> Result<Exchanged<'_>, &'static str> {
    let parsed = Line::parse(line).ok_or("not in the combined log format")?;
    // Without them two quotes are left, the request's own.
    if line.bytes().filter(|byte| *byte == b'"').count() < 4 {
        return Err("no referer and user agent: it is in the common log format");
    }
    Ok(Exchanged::of_line(&parsed))
}
