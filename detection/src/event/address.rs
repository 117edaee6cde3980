//! Addresses and the networks they belong to.

use std::net::{IpAddr, Ipv6Addr};

/// The address as one client has it: an IPv4 address in IPv6 clothes is the IPv4 address.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Its /24 or /64: what one customer or one rack usually holds.
pub(crate) fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_to_the_network() {
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.0"),
            ("::ffff:203.0.113.7", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            assert_eq!(prefix(parse(text).unwrap()).to_string(), expected);
        }
        assert_eq!(parse("example.com"), None);
    }
}
