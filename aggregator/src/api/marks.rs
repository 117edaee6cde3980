//! Which endpoints are new, not described by their application's document, or described and asked for
//! by nobody.

use duckdb::types::Value;

use super::error::ApiError;
use super::params::Params;
use super::sessions::at;
use super::transitions::NO_ASSET;
use crate::config::units;
use crate::endpoints::{NO_PATH, UNKNOWN};

/// What `mark` knows, each with a condition on rows of `marked`.
const MARKS: &[(&str, &str)] = &[
    ("new", "is_new"),
    ("documented", "documented"),
    ("undocumented", "NOT documented"),
    ("unused", "unused"),
];

/// How long an endpoint is new, unless asked otherwise.
const NEW: &str = "7d";

/// Which endpoints are wanted, and since when they are new.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// A condition on rows of `marked`.
    pub(super) wanted: String,
    pub(super) new_since_us: i64,
}

impl Marks {
    /// Reads the parameters `mark` and `new_within`.
    pub(super) fn read(params: &Params, now_us: i64) -> Result<Self, ApiError> {
        let within = params.get("new_within").unwrap_or(NEW);
        let within = units::duration(within).map_err(|problem| ApiError::BadParameter {
            parameter: "new_within",
            detail: format!("`new_within`: {problem}"),
            remedy: "give a duration such as 7d or 12h",
        })?;
        let mut wanted = Vec::new();
        for word in params.get("mark").into_iter().flat_map(|it| it.split(',')) {
            let Some((_, condition)) = MARKS.iter().find(|(name, _)| *name == word) else {
                return Err(ApiError::BadParameter {
                    parameter: "mark",
                    detail: format!("`mark` has `{}`", word.chars().take(64).collect::<String>()),
                    remedy: "give new, documented, undocumented or unused, with commas between",
                });
            };
            wanted.push(format!("coalesce({condition}, false)"));
        }
        Ok(Self {
            wanted: match wanted.as_slice() {
                [] => "true".into(),
                wanted => format!("({})", wanted.join(" OR ")),
            },
            new_since_us: now_us.saturating_sub(units::micros(within)),
        })
    }

    /// The common table `marked`: `found` with marks, and a row for each operation that nobody asked
    /// for in the time. With `all`, of all applications; else of those that were found.
    pub(super) fn table(
        &self,
        (from_us, to_us): (Option<i64>, Option<i64>),
        all: bool,
    ) -> (String, Vec<Value>) {
        let mut values = vec![at(self.new_since_us), at(self.new_since_us)];
        let mut outside = vec!["asked.last IS NULL"];
        for (condition, time_us) in [("asked.last < ?", from_us), ("asked.first >= ?", to_us)] {
            if let Some(time_us) = time_us {
                outside.push(condition);
                values.push(at(time_us));
            }
        }
        let of = if all {
            "true"
        } else {
            "application IN (SELECT application FROM found)"
        };
        let sql = format!(
            ", known AS (
                SELECT application, min(first) AS began FROM endpoints_seen GROUP BY application),
             marked AS (
                SELECT found.*, least(found.first, seen.first) AS first_seen,
                    greatest(found.last, seen.last) AS last_seen,
                    coalesce(first_seen >= ? AND known.began < ?, false) AS is_new,
                    CASE WHEN described.application IS NOT NULL AND seen.endpoint IS NOT NULL
                            AND {NO_ASSET} AND NOT ends_with(endpoint, '{UNKNOWN}')
                            AND NOT ends_with(endpoint, '{NO_PATH}')
                         THEN seen.operation IS NOT NULL END AS documented,
                    false AS unused
                FROM found LEFT JOIN endpoints_seen AS seen USING (application, endpoint)
                    LEFT JOIN known USING (application)
                    LEFT JOIN api_documents AS described USING (application)
                UNION ALL BY NAME
                SELECT left(md5(application || chr(10) || endpoint), 16) AS id, application, endpoint,
                    0 AS requests, 0 AS sessions, 0 AS sampled, 0 AS errors_4xx, 0 AS errors_5xx,
                    0 AS bot_requests, 0 AS request_bytes, 0 AS response_bytes,
                    asked.first AS first_seen, asked.last AS last_seen, false AS is_new,
                    true AS documented, true AS unused
                FROM api_operations LEFT JOIN (
                    SELECT application, operation AS endpoint, min(first) AS first, max(last) AS last
                    FROM endpoints_seen WHERE operation IS NOT NULL GROUP BY ALL
                ) AS asked USING (application, endpoint)
                WHERE ({}) AND {of} AND (application, endpoint) NOT IN (
                    SELECT (application, endpoint) FROM found))",
            outside.join(" OR ")
        );
        (sql, values)
    }
}
