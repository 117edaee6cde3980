use super::{ID, LATE, Says, people, says};
use crate::story::Client;

/// A session for every request or two, all from one address.
fn check(sessions: usize, path: &str, requests_each: usize, expected: &Says) {
    let mut client = Client::new(ID, "somebody", LATE);
    for _ in 0..sessions {
        client.new_session();
        for _ in 0..requests_each {
            client.wait(5.0);
            client.send("GET", path, 200, false);
        }
    }
    let said = says("session_rotation", people(), client);
    assert_eq!(
        said, *expected,
        "{sessions} sessions, {requests_each} requests each, {path}"
    );
}

#[test]
fn a_new_session_for_every_question() {
    check(60, "/api/cart", 1, &Says::Vote);
    check(15, "/api/cart", 1, &Says::Within);
}

#[test]
fn people_behind_one_address_stay_in_their_sessions() {
    check(60, "/api/cart", 6, &Says::NotEnough);
    check(60, "/images/a.png", 1, &Says::NotEnough);
    check(6, "/api/cart", 1, &Says::NotEnough);
}
