//! Which known name someone may have meant.

/// Letters that may differ.
const DISTANCE_MAX: usize = 3;

/// How many letters must change to make `one` of `other`.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, pair) in row.windows(2).enumerate() {
            let &[above_left, above] = pair else { continue };
            let differs = usize::from(other.get(column) != Some(&letter));
            let left = next.last().copied().unwrap_or_default();
            next.push((above_left + differs).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The one of `known` that is most like `name`, if any is much like it: at most three letters
/// differ, and fewer than it has.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.chars().take(64).collect();
    let most = DISTANCE_MAX.min(name.chars().count().saturating_sub(1));
    known
        .into_iter()
        .map(|known| (distance(known, &name), known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        for (one, other, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("limit", "limt", 1),
            ("from", "form", 2),
            ("a", "b", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn finds_what_was_meant() {
        for (name, expected) in [
            ("limt", Some("limit")),
            ("useragent", Some("user_agent")),
            ("completely_different", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(name, ["from", "limit", "user_agent"]),
                expected,
                "{name}"
            );
        }
    }
}
