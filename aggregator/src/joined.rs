//! Several texts as one, which is searched and copied in a fraction of the time that a list takes: a line feed before
//! each and one behind the last, nothing at all where there are none. So `\nann\n` is in it where `ann` is.

/// Says that what follows stands for a character with a meaning here.
const ESCAPE: char = '\u{1}';
/// What stands for a line feed, and for [`ESCAPE`] itself.
const LINE_FEED: &str = "\u{1}\u{2}";
const ESCAPED: &str = "\u{1}\u{3}";

fn escaped(text: &str) -> String {
    text.replace(ESCAPE, ESCAPED).replace('\n', LINE_FEED)
}

/// What of each text that begins so is in a joined one.
pub(crate) fn beginning(text: &str) -> String {
    format!("\n{}", escaped(text))
}

/// What of this text is in a joined one, and of no other.
pub(crate) fn whole(text: &str) -> String {
    format!("\n{}\n", escaped(text))
}

/// Whether it is in a joined text as it is, and there only as part of one.
pub(crate) fn is_plain(part: &str) -> bool {
    !part.contains(['\n', '\u{1}', '\u{2}', '\u{3}'])
}

/// The texts in a joined one.
pub(crate) fn texts(joined: &str) -> Vec<String> {
    let Some(all) = joined
        .strip_prefix('\n')
        .and_then(|it| it.strip_suffix('\n'))
    else {
        return Vec::new();
    };
    let text = |one: &str| one.replace(LINE_FEED, "\n").replace(ESCAPED, "\u{1}");
    all.split('\n').map(text).collect()
}

/// SQL of the texts in the list `list`, joined: in order, each once.
pub(crate) fn of_list(list: &str) -> String {
    let escaped = format!(
        "list_transform({list}, lambda one: replace(replace(one,
            chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))"
    );
    format!(
        "CASE WHEN len({list}) > 0 THEN {} ELSE '' END",
        lines(&escaped)
    )
}

/// The texts in a list that is not empty, as they stand there.
fn lines(list: &str) -> String {
    format!("chr(10) || array_to_string(list_sort(list_distinct({list})), chr(10)) || chr(10)")
}

/// The texts as they stand there, as a list.
fn split(joined: &str) -> String {
    format!("string_split({joined}, chr(10))[2:-2]")
}

/// SQL of all texts in two joined ones, together. Most often the `old` one has all of the other, and is kept.
pub(crate) fn together(old: &str, new: &str) -> String {
    let (of_old, of_new) = (split(old), split(new));
    format!(
        "CASE WHEN {old} IS NULL THEN {new}
         WHEN {old} = {new} OR list_has_all({of_old}, {of_new}) THEN {old}
         ELSE {} END",
        lines(&format!("list_concat({of_old}, {of_new})"))
    )
}

/// SQL of how many there are.
pub(crate) fn count(joined: &str) -> String {
    format!("len({})::UBIGINT", split(joined))
}

/// SQL of the list of them.
pub(crate) fn list(joined: &str) -> String {
    let split = split(joined);
    format!(
        "CASE WHEN contains({joined}, chr(1))
         THEN list_transform({split}, lambda one: replace(replace(one,
            chr(1) || chr(2), chr(10)), chr(1) || chr(3), chr(1)))
         ELSE {split} END"
    )
}

#[cfg(test)]
mod tests {
    use duckdb::Connection;

    use super::*;

    const ODD: &[&str] = &[
        "",
        "ann",
        "an",
        "a\nb",
        "\u{1}",
        "\u{1}\u{2}",
        "\u{1}\u{3}",
        "\u{1}\n\u{2}\u{3}",
        "\n",
        "\n\n",
        "\\n",
        "é\u{301}\r",
    ];

    /// What DuckDB makes of them.
    fn joined(texts: &[&str]) -> String {
        let connection = Connection::open_in_memory().unwrap();
        let all: Vec<_> = texts.iter().map(|it| format!("'{it}'")).collect();
        let list = format!("[{}]::VARCHAR[]", all.join(", "));
        let sql = format!("SELECT {}", of_list(&list));
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn told<T: duckdb::types::FromSql>(sql: &str, joined: &[&str]) -> T {
        let connection = Connection::open_in_memory().unwrap();
        let sql = format!("SELECT {sql} FROM (SELECT ? AS joined, ? AS other)");
        let given = duckdb::params_from_iter(joined.iter().chain([&""]).take(2));
        connection.query_row(&sql, given, |row| row.get(0)).unwrap()
    }

    #[test]
    fn any_texts_are_there_again_and_nothing_else_is() {
        for size in 0..=ODD.len() {
            let given = &ODD[..size];
            let text = joined(given);
            let mut back = texts(&text);
            assert_eq!(told::<u64>(&count("joined"), &[&text]), size as u64);
            let length: u64 = told(&format!("len({})", list("joined")), &[&text]);
            assert_eq!(length, size as u64);
            for one in ODD {
                let is_there = given.contains(one);
                assert_eq!(text.contains(&whole(one)), is_there, "{one:?} in {text:?}");
                let begins = given.iter().any(|it| it.starts_with(one));
                assert_eq!(text.contains(&beginning(one)), begins, "{one:?}");
                let sql = format!("list_contains({}, other)", list("joined"));
                assert_eq!(told::<bool>(&sql, &[&text, one]), is_there, "{one:?}");
            }
            let mut given = given.to_vec();
            given.sort_unstable();
            back.sort_unstable();
            assert_eq!(back, given);
        }
        assert_eq!(joined(&["b", "a", "b"]), "\na\nb\n");
    }

    #[test]
    fn two_are_together_what_their_texts_are() {
        for middle in 0..ODD.len() {
            for (old, new) in [(middle, middle), (middle, 0), (ODD.len(), middle)] {
                let (old, new) = (&ODD[..old], &ODD[new..]);
                let both: Vec<_> = old.iter().chain(new).copied().collect();
                let given = [joined(old), joined(new)];
                let given: Vec<_> = given.iter().map(String::as_str).collect();
                let found: String = told(&together("joined", "other"), &given);
                assert_eq!(found, joined(&both), "{old:?} {new:?}");
            }
        }
        let found: String = told(&together("NULL::VARCHAR", "joined"), &["\na\n"]);
        assert_eq!(found, "\na\n");
    }
}
