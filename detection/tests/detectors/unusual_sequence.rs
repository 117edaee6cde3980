use super::{ID, LATE, Says, asks, people, says};
use crate::story::{Client, honest};

/// Where people go, but nobody in such an order.
const CORNERS: [&str; 5] = [
    "/favicon.ico",
    "/api/login",
    "/assets/app.css",
    "/api/cart",
    "/assets/app.js",
];

/// Leaps from corner to corner, hardly one twice.
fn leaper(steps: usize, start: f64) -> Client {
    asks(Client::new(ID, "somebody", start), steps, |number| {
        CORNERS[number * (1 + number / 5) % 5].to_owned()
    })
}

#[test]
fn steps_that_nobody_takes() {
    let said = says("unusual_sequence", people(), leaper(25, LATE));
    assert_eq!(said, Says::Vote);
}

#[test]
fn the_ways_that_people_go_are_no_evidence() {
    let said = says("unusual_sequence", people(), honest::person(ID, 6, LATE));
    assert_ne!(said, Says::Vote);
    let said = says("unusual_sequence", people(), leaper(12, LATE));
    assert_eq!(said, Says::NotEnough);
}

#[test]
fn an_application_that_is_not_known_has_no_usual_ways() {
    let few = people().into_iter().take(50).collect();
    let said = says("unusual_sequence", few, leaper(25, 9_000.0));
    assert_eq!(said, Says::NotEnough);
}
