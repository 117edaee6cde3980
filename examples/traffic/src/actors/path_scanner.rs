//! A scanner: a list of paths that careless sites leave open, and what is found along the way.

use super::{Actor, Class};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::{Ask, get};
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "path_scanner",
    class: Class::Bot,
    summary: "asks for paths that should not be there",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Paths tried.
    paths: Count,
    /// Median seconds between two tries.
    every_s: Span,
    sigma: Span,
    /// Share of tries with HEAD.
    head: Span,
}

const RANGES: Ranges = Ranges {
    paths: Count(60, 200),
    every_s: Span(0.1, 1.5),
    sigma: Span(0.02, 0.6),
    head: Span(0.0, 0.3),
};
const PATHS: &[&str] = &[
    "/.env",
    "/.git/config",
    "/.git/HEAD",
    "/wp-login.php",
    "/wp-admin/",
    "/xmlrpc.php",
    "/phpmyadmin/",
    "/admin",
    "/admin/users",
    "/admin/config",
    "/administrator/",
    "/config.json",
    "/config.php.bak",
    "/backup.zip",
    "/backup.sql",
    "/dump.sql",
    "/server-status",
    "/actuator/env",
    "/actuator/heapdump",
    "/api/v1/users",
    "/api/internal",
    "/api/debug",
    "/api/swagger.json",
    "/swagger-ui.html",
    "/openapi.json",
    "/v2/api-docs",
    "/graphiql",
    "/console",
    "/jenkins/",
    "/.aws/credentials",
    "/.ssh/id_rsa",
    "/.DS_Store",
    "/id_rsa",
    "/debug/pprof/",
    "/metrics",
    "/manager/html",
    "/solr/",
    "/cgi-bin/test.cgi",
    "/vendor/phpunit/phpunit/phpunit.xml",
    "/api/admin",
    "/login.action",
    "/owa/",
    "/old/",
    "/test/",
    "/private/",
    "/tmp/",
    "/db/",
];
const ENDINGS: &[&str] = &["", ".bak", ".old", "~", ".zip", "1", "/.env"];

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = match client.dice.random_range(0..4) {
        0 => agents::named("Mozilla/5.0 (compatible; Nmap Scripting Engine)", "*/*"),
        1 => agents::go(&mut client.dice),
        2 => agents::curl(&mut client.dice),
        _ => agents::masked(&mut client.dice),
    };
    let mut device = client.device(agent, Net::Hosting);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let head = RANGES.head.draw(&mut client.dice);
    let mut first: Vec<&str> = PATHS.to_vec();
    first.shuffle(&mut client.dice);
    for n in 0..RANGES.paths.draw(&mut client.dice) {
        let path = match first.get(n) {
            Some(path) => (*path).to_owned(),
            None => format!(
                "{}{}",
                pick(&mut client.dice, PATHS),
                pick(&mut client.dice, ENDINGS)
            ),
        };
        let ask = if chance(&mut client.dice, head) {
            Ask::new("HEAD", path, None)
        } else {
            get(path)
        };
        device.send(ask).await?;
        client.pause(every).await?;
    }
    Ok(())
}
