use super::{ID, LATE, Says, asks, people, says};
use crate::story::Client;

fn check(requests: usize, upstream_us: Option<u64>, expected: &Says) {
    let mut client = asks(Client::new(ID, "somebody", LATE), requests, |_| {
        "/api/cart".to_owned()
    });
    for sent in &mut client.sent {
        sent.upstream_us = upstream_us;
    }
    // Ordinary times that vary, at the same endpoint.
    let mut others = people();
    for at in 0..60_u32 {
        let start = f64::from(at) * 500.0;
        let mut other = asks(
            Client::new(ID + 64 * (1 + u64::from(at)), "other", start),
            5,
            |_| "/api/cart".to_owned(),
        );
        for (nth, sent) in (0_u64..).zip(&mut other.sent) {
            sent.upstream_us = Some(3_000 + 1_000 * (u64::from(at) + nth) % 9_000);
        }
        others.push(other);
    }
    let said = says("response_time_anomaly", others, client);
    assert_eq!(said, *expected, "{requests} requests, {upstream_us:?}");
}

#[test]
fn always_among_the_slowest() {
    check(40, Some(900_000), &Says::Vote);
    check(40, Some(6_000), &Says::Within);
}

#[test]
fn too_few_times_are_known() {
    check(15, Some(900_000), &Says::NotEnough);
    check(40, None, &Says::NotEnough);
}
