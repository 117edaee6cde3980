//! Actors that play only where a scene asks for them by name, as those of `examples/grouping` do:
//! the demo and `make evaluate` cast everybody in `actors::ALL`, and their figures stay as they are.

use crate::actors::Actor;

mod fleet_stuffer;
mod fleet_user;
mod office_stuffer;
mod office_user;
mod partner_client;
mod partner_scraper;
mod pool_scraper;
mod probing_enumerator;
mod renewing_enumerator;
mod script_stuffer;

/// All of them, one file each. The order gives each its block of accounts: append, do not insert.
pub const ALL: &[&Actor] = &[
    &office_user::ACTOR,
    &office_stuffer::ACTOR,
    &fleet_user::ACTOR,
    &fleet_stuffer::ACTOR,
    &pool_scraper::ACTOR,
    &renewing_enumerator::ACTOR,
    &probing_enumerator::ACTOR,
    &partner_client::ACTOR,
    &partner_scraper::ACTOR,
    &script_stuffer::ACTOR,
];

/// What a partner's programs all send as `x-api-key`.
const PARTNER_KEY: &str = "pk_live_7f1c0b6e5a5d4e0fa1b2c3d4e5f60718";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors;

    #[test]
    fn every_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guests");
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

    #[test]
    fn guests_have_accounts_that_no_honest_actor_has() {
        for guest in ALL {
            let block = usize::try_from(actors::block_of(guest.name)).unwrap();
            let other = actors::ALL[block];
            assert_eq!(other.class, actors::Class::Bot, "{}", guest.name);
        }
    }
}
