use super::{ID, LATE, Says, asks, people, says};
use crate::story::{CHROME, Client};

fn check(agent: &str, requests: usize, others: Vec<Client>, expected: &Says) {
    let client = Client::new(ID, "somebody", LATE).agent(agent);
    let client = asks(client, requests, |_| "/api/cart".to_owned());
    let said = says("outdated_browser", others, client);
    assert_eq!(said, *expected, "{agent}, {requests} requests");
}

#[test]
fn years_behind_what_others_use() {
    let of = |version: &str| CHROME.replace("Chrome/145", &format!("Chrome/{version}"));
    check(&of("98"), 5, people(), &Says::Vote);
    check(&of("140"), 5, people(), &Says::Within);
    check(&of("145"), 5, people(), &Says::Within);
}

#[test]
fn nothing_to_compare_with() {
    let old = CHROME.replace("Chrome/145", "Chrome/98");
    check(&old, 2, people(), &Says::NotEnough);
    check("curl/8.5.0", 5, people(), &Says::NotEnough);
    let few = people().into_iter().take(20).collect();
    check(&old, 5, few, &Says::NotEnough);
}
