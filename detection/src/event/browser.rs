//! Which browser a user agent claims to be, and which version of it.

use serde::{Deserialize, Serialize};

/// Browsers that behave alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Family {
    /// Chrome, Edge, Opera and others with the same engine.
    Chromium,
    Firefox,
    Safari,
}

impl Family {
    const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Safari];

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Chromium => 0,
            Self::Firefox => 1,
            Self::Safari => 2,
        }
    }
}

/// A browser's family and major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Browser {
    pub(crate) family: Family,
    pub(crate) version: u16,
}

impl Browser {
    /// Reads a user agent; `None` where it names no version of these.
    pub(crate) fn of(user_agent: &str) -> Option<Self> {
        let version = |word: &str| -> Option<u16> {
            let (_, rest) = user_agent.split_once(word)?;
            rest.split(|it: char| !it.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        };
        let chromium = version("Chrome/").or_else(|| version("CriOS/"));
        let (family, version) = if let Some(version) = chromium {
            (Family::Chromium, version)
        } else if let Some(version) = version("Firefox/") {
            (Family::Firefox, version)
        } else {
            user_agent.contains("Safari/").then_some(())?;
            (Family::Safari, version("Version/")?)
        };
        Some(Self { family, version })
    }

    /// Whether this version sends `sec-fetch-*` to sites it reached over TLS.
    pub(crate) fn tells_fetch(self) -> bool {
        let since = match self.family {
            Family::Chromium | Family::Firefox => 90,
            Family::Safari => 17,
        };
        self.version >= since
    }

    pub(crate) fn key(self) -> u32 {
        let family = u32::try_from(self.family.index()).unwrap_or(0);
        family << 16 | u32::from(self.version)
    }

    pub(crate) fn of_key(key: u32) -> Option<Self> {
        let family = *Family::ALL.get(key as usize >> 16)?;
        let version = u16::try_from(key & 0xffff).ok()?;
        Some(Self { family, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_families_and_versions() {
        for (text, expected) in [
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                Some((Family::Chromium, 141)),
            ),
            (
                "Mozilla/5.0 (X11; rv:143.0) Gecko/20100101 Firefox/143.0",
                Some((Family::Firefox, 143)),
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                Some((Family::Safari, 18)),
            ),
            (
                "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
                Some((Family::Chromium, 140)),
            ),
            ("Mozilla/5.0 Chrome/99999999 Safari/1", None),
            ("curl/8.5", None),
            ("", None),
        ] {
            let found = Browser::of(text);
            assert_eq!(found.map(|it| (it.family, it.version)), expected, "{text}");
            assert_eq!(found, found.and_then(|it| Browser::of_key(it.key())));
        }
    }
}
