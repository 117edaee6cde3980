//! A filter's text as words: `-field:value,value`, `field>=value`, or a value by itself.

use super::FilterError;

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`
    Is,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A value as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// Its text, without quotes.
    pub(super) text: String,
    /// It stood in quotes: every letter means itself.
    pub(super) quoted: bool,
    /// Where it begins, in letters from 1.
    pub(super) column: usize,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What matches it is left out.
    pub(super) negated: bool,
    /// The field and how it is compared; `None` for a value by itself.
    pub(super) field: Option<(String, Operator)>,
    /// One of these.
    pub(super) values: Vec<Value>,
    /// Where it begins, in letters from 1.
    pub(super) column: usize,
}

/// Letters and where they stand.
struct Letters<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    column: usize,
}

impl Letters<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        self.column += 1;
        Some(letter)
    }

    fn take_if(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }

    fn while_not(&mut self, stop: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| !stop(*letter)) {
            self.next();
            text.push(letter);
        }
        text
    }
}

fn operator(letters: &mut Letters<'_>) -> Option<Operator> {
    let (alone, with_equals) = match letters.peek()? {
        ':' => {
            letters.next();
            return Some(Operator::Is);
        }
        '>' => (Operator::Above, Operator::AtLeast),
        '<' => (Operator::Below, Operator::AtMost),
        _ => return None,
    };
    letters.next();
    Some(if letters.take_if('=') {
        with_equals
    } else {
        alone
    })
}

fn value(letters: &mut Letters<'_>) -> Result<Value, FilterError> {
    let column = letters.column;
    if !letters.take_if('"') {
        let text = letters.while_not(|letter| letter.is_whitespace() || letter == ',');
        return Ok(Value {
            text,
            quoted: false,
            column,
        });
    }
    let mut text = String::new();
    loop {
        match letters.next() {
            Some('"') => break,
            Some('\\') => text.extend(letters.next()),
            Some(letter) => text.push(letter),
            None => {
                let problem = "a quote is opened and not closed";
                return Err(FilterError::new(column, problem, "close it with \""));
            }
        }
    }
    Ok(Value {
        text,
        quoted: true,
        column,
    })
}

fn values(letters: &mut Letters<'_>) -> Result<Vec<Value>, FilterError> {
    let mut values = vec![value(letters)?];
    while letters.take_if(',') {
        values.push(value(letters)?);
    }
    match letters.peek() {
        Some(letter) if !letter.is_whitespace() => Err(FilterError::new(
            letters.column,
            "something follows a closing quote",
            "put a space between terms and a comma between values",
        )),
        _ => Ok(values),
    }
}

/// Letters of a field's name: `param.x-tier` is one.
fn names(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-')
}

fn word(letters: &mut Letters<'_>) -> Result<Word, FilterError> {
    let column = letters.column;
    let negated = letters.take_if('-');
    let mut ahead = Letters {
        rest: letters.rest.clone(),
        column: letters.column,
    };
    let name = ahead.while_not(|letter| !names(letter));
    let compared = operator(&mut ahead).filter(|_| !name.is_empty());
    // `::1` and `2001:db8::1` are addresses: no field's name is made of hex digits alone with a
    // value that has a colon in it.
    let field = compared
        .filter(|_| !is_address(&letters.rest.clone().collect::<String>()))
        .map(|operator| (name, operator));
    if field.is_some() {
        *letters = ahead;
    }
    Ok(Word {
        negated,
        field,
        values: values(letters)?,
        column,
    })
}

fn is_address(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let address = first.split('/').next().unwrap_or_default();
    address.parse::<std::net::Ipv6Addr>().is_ok()
}

/// The words of `text`.
pub(super) fn split(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut letters = Letters {
        rest: text.chars().peekable(),
        column: 1,
    };
    let mut words = Vec::new();
    loop {
        while letters.peek().is_some_and(char::is_whitespace) {
            letters.next();
        }
        if letters.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut letters)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let words = match split(text) {
            Ok(words) => words,
            Err(error) => return format!("{}: {}", error.column, error.problem),
        };
        let shown = |word: &Word| {
            let sign = if word.negated { "not " } else { "" };
            let field = word
                .field
                .as_ref()
                .map_or(String::new(), |(name, operator)| {
                    format!("{name} {operator:?} ")
                });
            let values: Vec<_> = word
                .values
                .iter()
                .map(|it| format!("{}{}", it.text, if it.quoted { "'" } else { "" }))
                .collect();
            format!("{}@{sign}{field}{}", word.column, values.join("|"))
        };
        words.iter().map(shown).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn splits_words() {
        for (text, expected) in [
            ("", ""),
            ("  ", ""),
            ("app:shop", "1@app Is shop"),
            (
                "app:shop  -ip:10.0.0.0/8",
                "1@app Is shop; 11@not ip Is 10.0.0.0/8",
            ),
            ("status:4xx,500", "1@status Is 4xx|500"),
            (
                "requests>=50 duration<10m",
                "1@requests AtLeast 50; 14@duration Below 10m",
            ),
            (
                "confidence>0.8 bytes<=1KiB",
                "1@confidence Above 0.8; 16@bytes AtMost 1KiB",
            ),
            (
                r#"endpoint:"POST /login",/a"#,
                "1@endpoint Is POST /login'|/a",
            ),
            (r#"user:"a\"b\\c""#, r#"1@user Is a"b\c'"#),
            ("param.x-tier:gold", "1@param.x-tier Is gold"),
            ("/checkout*", "1@/checkout*"),
            ("-/health", "1@not /health"),
            ("10.0.0.1", "1@10.0.0.1"),
            ("2001:db8::1", "1@2001:db8::1"),
            ("::1", "1@::1"),
            ("2001:db8::/32 app:a", "1@2001:db8::/32; 15@app Is a"),
            (
                "from:2026-01-31T08:00:00Z",
                "1@from Is 2026-01-31T08:00:00Z",
            ),
            ("user:", "1@user Is "),
            ("user:a,", "1@user Is a|"),
            ("user:é,ü", "1@user Is é|ü"),
            (r#"user:"a"#, "6: a quote is opened and not closed"),
            (r#"user:"a"b"#, "9: something follows a closing quote"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
