use super::{ID, LATE, Says, asks, people, says};
use crate::story::Client;

/// A part of the application, by a name of its own.
fn part(number: usize) -> String {
    let letter = |at: usize| char::from(b'a' + u8::try_from(at % 26).unwrap_or(0));
    format!("/api/{}{}room/list", letter(number), letter(number / 26))
}

fn check(requests: usize, parts: usize, expected: &Says) {
    let client = asks(Client::new(ID, "somebody", LATE), requests, |number| {
        part(number % parts)
    });
    let said = says("wide_scope", people(), client);
    assert_eq!(said, *expected, "{requests} requests to {parts} parts");
}

#[test]
fn everything_there_is() {
    check(120, 90, &Says::Vote);
    check(120, 5, &Says::Within);
}

#[test]
fn a_few_requests_have_no_scope() {
    check(19, 19, &Says::NotEnough);
}
