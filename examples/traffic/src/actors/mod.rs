//! Who may play: one file per actor, one line in [`ALL`].

use futures_util::future::BoxFuture;

use crate::client::{Client, Over};
use crate::guests;

mod account_scraper;
mod account_takeover;
mod app_polling;
pub(crate) mod browser_shopper;
mod checkout_abuser;
mod credential_stuffer;
mod email_enumerator;
mod forgetful_user;
mod headless_browser;
mod health_checker;
mod human_scraper;
pub(crate) mod mobile_app_user;
mod monitoring;
mod order_enumerator;
mod path_scanner;
mod patient_stuffer;
mod relogin_scraper;
mod returning_user;
mod rotating_enumerator;
mod scraper;
mod sdk_sync;
mod search_crawler;
mod slow_stuffer;
mod webhook_sender;
mod window_shopper;

/// What a client really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A human being.
    Person,
    /// An honest program.
    Machine,
    /// A program that nobody asked for.
    Bot,
}

impl Class {
    /// As in the truth file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Machine => "machine",
            Self::Bot => "bot",
        }
    }
}

pub(crate) type Story = BoxFuture<'static, Result<(), Over>>;

/// A kind of client.
#[derive(Debug)]
pub struct Actor {
    /// The file's name.
    pub name: &'static str,
    /// What its clients really are.
    pub class: Class,
    /// One line for the table.
    pub summary: &'static str,
    /// How many play at scale 1.
    pub clients: u32,
    pub(crate) play: fn(Client) -> Story,
}

/// All actors. The order gives each its block of accounts: append, do not insert.
pub const ALL: &[&Actor] = &[
    &browser_shopper::ACTOR,
    &returning_user::ACTOR,
    &window_shopper::ACTOR,
    &forgetful_user::ACTOR,
    &mobile_app_user::ACTOR,
    &sdk_sync::ACTOR,
    &app_polling::ACTOR,
    &health_checker::ACTOR,
    &webhook_sender::ACTOR,
    &search_crawler::ACTOR,
    &monitoring::ACTOR,
    &scraper::ACTOR,
    &account_scraper::ACTOR,
    &credential_stuffer::ACTOR,
    &slow_stuffer::ACTOR,
    &account_takeover::ACTOR,
    &order_enumerator::ACTOR,
    &email_enumerator::ACTOR,
    &path_scanner::ACTOR,
    &checkout_abuser::ACTOR,
    &headless_browser::ACTOR,
    &human_scraper::ACTOR,
    &rotating_enumerator::ACTOR,
    &relogin_scraper::ACTOR,
    &patient_stuffer::ACTOR,
];

/// The actor of this name, among [`ALL`] and the guests.
#[must_use]
pub fn find(name: &str) -> Option<&'static Actor> {
    let all = ALL.iter().chain(guests::ALL);
    all.copied().find(|actor| actor.name == name)
}

/// Which block of accounts an actor's clients have. Guests take those of the bots, which have no
/// part where guests play.
pub(crate) fn block_of(name: &str) -> u32 {
    let place = |list: &[&Actor]| list.iter().position(|actor| actor.name == name);
    let bots = ALL.iter().position(|actor| actor.class == Class::Bot);
    let guest = || Some(bots? + place(guests::ALL)?);
    let block = place(ALL).or_else(guest).unwrap_or(0);
    u32::try_from(block).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_actor_has_accounts() {
        let actors = u32::try_from(ALL.len()).unwrap();
        assert!(actors * crate::client::ACCOUNTS_PER_ACTOR <= shop::accounts::ACCOUNTS);
    }

    #[test]
    fn every_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/actors");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod")
            .collect();
        let mut names: Vec<&str> = ALL.iter().map(|actor| actor.name).collect();
        files.sort_unstable();
        names.sort_unstable();
        assert_eq!(files, names);
    }
}
