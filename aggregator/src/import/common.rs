//! The common log format: `host ident user [time] "request" status bytes`.

use throughline_detection::event::access_log::Line;

use super::{Exchanged, Format};

pub(super) const FORMAT: Format = Format {
    name: "common",
    meaning: "common log format, as Apache and nginx write it",
    read,
};

fn read(line: &str) -> Result<Exchanged<'_>, &'static str> {
    let line = Line::parse(line).ok_or("not in the common log format")?;
    Ok(Exchanged::of_line(&line))
}
