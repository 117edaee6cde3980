//! Where clients come from. Only blocks set aside for documentation and benchmarks; people and
//! the proxies that bots rent share one block, as they do in the world.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rand::Rng;

use crate::draw::{Dice, chance};

/// A kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    /// A household, or a proxy in one.
    Home,
    /// A mobile carrier; some subscribers share an address.
    Mobile,
    /// A company: few addresses for many.
    Office,
    /// A data centre.
    Hosting,
    /// The range that a search engine says is its own: [`CRAWLERS`].
    Crawlers,
}

/// Where declared search engines come from, as published by them: address and leading bits.
pub const CRAWLERS: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24);

impl Net {
    pub(crate) fn address(self, dice: &mut Dice) -> IpAddr {
        match self {
            Self::Home if chance(dice, 0.2) => v6(0x1000, dice),
            Self::Home => Ipv4Addr::new(198, 18, dice.random(), dice.random_range(1..255)).into(),
            Self::Mobile if chance(dice, 0.6) => v6(0x2000, dice),
            Self::Mobile => Ipv4Addr::new(203, 0, 113, dice.random_range(64..96)).into(),
            Self::Office => Ipv4Addr::new(203, 0, 113, dice.random_range(1..9)).into(),
            Self::Crawlers => Ipv4Addr::new(192, 0, 2, dice.random_range(1..255)).into(),
            Self::Hosting => {
                Ipv4Addr::new(198, 19, dice.random(), dice.random_range(1..255)).into()
            }
        }
    }

    /// Where a person sits: mostly at home, sometimes at work.
    pub(crate) fn of_person(dice: &mut Dice) -> Self {
        if chance(dice, 0.15) {
            Self::Office
        } else {
            Self::Home
        }
    }
}

fn v6(block: u16, dice: &mut Dice) -> IpAddr {
    let net = block + dice.random_range(0..0x1000);
    Ipv6Addr::new(
        0x2001,
        0xdb8,
        net,
        dice.random(),
        dice.random(),
        dice.random(),
        dice.random(),
        dice.random(),
    )
    .into()
}
