//! Summaries of fixed size: what stays in memory of a stream that may never end.
//!
//! All state is whole numbers (and single floats), so that a snapshot in any format gives the
//! very same state back.

mod bits;
mod log_bins;
mod rare;
mod rolling;
mod sample;
mod top;

pub(crate) use bits::Bits;
pub(crate) use log_bins::LogBins;
pub(crate) use rare::Rare;
pub(crate) use rolling::Rolling;
pub(crate) use sample::Sample;
pub(crate) use top::Top;

/// Serde for arrays of any length, which serde itself does not offer.
pub(crate) mod array {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer, T: Serialize, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(array)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        let found = items.len();
        items
            .try_into()
            .map_err(|_| D::Error::invalid_length(found, &"an array of the agreed length"))
    }
}
