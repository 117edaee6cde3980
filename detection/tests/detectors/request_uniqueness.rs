use super::{ID, LATE, Says, asks, people, says};
use crate::story::Client;

fn check(requests: usize, different: usize, expected: &Says) {
    let client = asks(Client::new(ID, "somebody", LATE), requests, |number| {
        format!(
            "/api/part/{}",
            ["a", "b", "c", "d", "e", "f"][number % different]
        )
    });
    let said = says("request_uniqueness", people(), client);
    assert_eq!(
        said, *expected,
        "{requests} requests, {different} different"
    );
}

#[test]
fn the_same_again_and_again() {
    check(60, 1, &Says::Vote);
    check(60, 6, &Says::Within);
}

#[test]
fn a_few_reloads_are_no_loop_yet() {
    check(39, 1, &Says::NotEnough);
}
