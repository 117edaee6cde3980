//! Which requests a closed segment keeps, where not all of a path's are wanted.

use crate::quoted::quoted;

/// Requests of one path, or of all paths that begin like it, of which a share is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Only those of this application; `None`: of any.
    pub application: Option<String>,
    /// How their paths begin.
    pub prefix: String,
    /// Which share of them is kept: from 0 to 1.
    pub share: f64,
}

/// What [`Sample`]s can be told apart by.
const STEPS: u32 = 1_000_000;

/// Reads how paths begin and a share, e.g. `/static/=0.05` or, of one application,
/// `shop:/static/=0.05`.
///
/// # Errors
/// A sentence with an example.
pub fn sample(text: &str) -> Result<Sample, String> {
    let read = || {
        let (whose, share) = text.rsplit_once('=')?;
        let share: f64 = share.parse().ok()?;
        let path_at = whose.find('/')?;
        let (application, prefix) = whose.split_at_checked(path_at)?;
        let application = match application {
            "" => None,
            name => Some(name.strip_suffix(':').filter(|it| !it.is_empty())?),
        };
        (0.0..=1.0).contains(&share).then(|| Sample {
            application: application.map(str::to_owned),
            prefix: prefix.to_owned(),
            share,
        })
    };
    read().ok_or_else(|| {
        "expected how paths begin and the share to keep, from 0 to 1, such as /static/=0.05 or \
         shop:/static/=0.05"
            .into()
    })
}

/// The condition for rows of `hot_records` that stay; `None` when all do.
///
/// The first sample that fits a path counts. Sessions that are pinned or have a verdict keep
/// everything: evidence names requests.
pub(super) fn kept(samples: &[Sample]) -> Option<String> {
    if samples.is_empty() {
        return None;
    }
    let mut share = String::from("CASE");
    for sample in samples {
        let application = match &sample.application {
            Some(name) => format!(" AND application = {}", quoted(name)),
            None => String::new(),
        };
        share += &format!(
            " WHEN starts_with(path, {}){application} THEN {}",
            quoted(&sample.prefix),
            sample.share * f64::from(STEPS),
        );
    }
    Some(format!(
        "(hash(boot, worker, sequence, idx) % {STEPS} < {share} ELSE {STEPS} END
          OR session IN (SELECT session FROM pins)
          OR lower(hex(session)) IN (SELECT session FROM verdicts))"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_path_and_a_share() {
        let all = |prefix: &str, share| {
            Some(Sample {
                application: None,
                prefix: prefix.into(),
                share,
            })
        };
        let shops = Sample {
            application: Some("shop".into()),
            prefix: "/static/".into(),
            share: 0.05,
        };
        for (text, expected) in [
            ("/static/=0.05", all("/static/", 0.05)),
            ("/=1", all("/", 1.0)),
            ("/a=b/=0", all("/a=b/", 0.0)),
            ("shop:/static/=0.05", Some(shops)),
            ("/static/", None),
            ("/static/=", None),
            ("/static/=1.1", None),
            ("/static/=-0.1", None),
            ("/static/=NaN", None),
            ("static=0.5", None),
            (":/static/=0.5", None),
            ("shop/static/=0.5", None),
            ("", None),
        ] {
            assert_eq!(sample(text).ok(), expected, "{text}");
        }
    }
}
