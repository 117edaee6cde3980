//! Envoy's response flags by their short names, as its access logs show them.

/// In the order of Envoy's `CoreResponseFlag`: bit 0 first.
const LETTERS: [&str; 28] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC",
    "URX", "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO",
];

/// The flags of `bits`, joined by commas; a bit without a known name is written as `#bit`.
#[must_use]
pub fn flag_letters(bits: u64) -> String {
    let mut text = String::new();
    for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
        if !text.is_empty() {
            text.push(',');
        }
        match LETTERS.get(bit) {
            Some(letters) => text.push_str(letters),
            None => text.push_str(&format!("#{bit}")),
        }
    }
    text
}

/// The bits of flags that [`flag_letters`] wrote; what it never writes is left out.
#[must_use]
pub fn flag_bits(letters: &str) -> u64 {
    let bit = |name: &str| match name.strip_prefix('#') {
        Some(number) => number.parse().ok().filter(|bit| *bit < 64),
        None => LETTERS.iter().position(|letters| *letters == name),
    };
    let bits = letters.split(',').filter_map(bit);
    bits.fold(0, |bits, bit| bits | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::{flag_bits, flag_letters};

    #[test]
    fn names_the_bits() {
        for (bits, expected) in [
            (0, ""),
            (1, "LH"),
            (1 << 14, "DC"),
            (1 << 5 | 1 << 15, "UF,URX"),
            (1 << 60, "#60"),
        ] {
            assert_eq!(flag_letters(bits), expected);
            assert_eq!(flag_bits(expected), bits);
        }
    }
}
