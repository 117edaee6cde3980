//! What a closed segment consists of: one Parquet file for each of [`ALL`].

use crate::endpoints::sums;

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Name of the view over all of its rows, and the end of its files' names.
    pub(super) name: &'static str,
    /// Where its rows come from.
    pub(super) from: From,
    /// How the file's rows are made of the source's.
    pub(super) select: &'static str,
    /// What they are grouped by, if they are.
    pub(super) group: &'static str,
    /// What they are sorted by: look-ups by the first of these read a small part of the file.
    pub(super) order: &'static str,
    /// Rows per row group: what a look-up reads at least. A multiple of DuckDB's 2,048.
    pub(super) rows: u32,
    /// Which sessions its rows belong to: the columns that hold one. None where they are of all.
    pub(super) sessions: &'static [&'static str],
    /// It is a summary: kept for the whole time even where the disk's budget is too small for the
    /// records.
    pub(super) summary: bool,
}

/// Where the rows of a file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The table `hot_records`, where rows are appended at the beginning of their batch.
    Batches,
    /// The table of this name, where a transaction's sums are appended at its end.
    Sums(&'static str),
    /// This SELECT over `{records}`: the records of the same segment, or those that are hot.
    Records(&'static str),
    /// The same, where what is hot is read and seen in other ways.
    Told {
        /// Over `{records}`, rows of files.
        of_records: &'static str,
        /// Over `{records}`, rows of `hot_records`.
        of_hot: &'static str,
        /// What its view shows of what is hot.
        hot: &'static str,
    },
    /// This SELECT over files of the same segment that come before this one in [`ALL`].
    Files(&'static str),
}

/// What a shape is about.
macro_rules! shape {
    () => {
        "session, method, host, path, endpoint, status, capture_point, referer_host, content_type,
    policy_version, flags"
    };
}

/// The sums of `{source}`: shapes already, or [`SHAPES_OF_RECORDS`].
const SHAPES: &str = concat!(
    "SELECT min(position) AS position, ",
    shape!(),
    ", sum(requests)::UINTEGER AS requests, min(took_min) AS took_min, max(took_max) AS took_max
    FROM {source}"
);

/// Shapes before they are summed.
const SHAPES_OF_RECORDS: &str = concat!(
    "SELECT position, ",
    shape!(),
    ", 1::UINTEGER AS requests, duration_us AS took_min, duration_us AS took_max FROM {records}"
);

/// What is told of a segment's shapes, by name: the values of columns that have few, most often, and how
/// long requests took.
pub(super) const TOLD: [(&str, &str); 10] = [
    ("method", "DISTINCT method"),
    ("host", "DISTINCT host"),
    ("status", "DISTINCT status"),
    ("capture_point", "DISTINCT capture_point"),
    ("referer_host", "DISTINCT referer_host"),
    ("content_type", "DISTINCT content_type"),
    ("policy_version", "DISTINCT policy_version"),
    ("flags", "DISTINCT flags"),
    ("took_min", "min(took_min)"),
    ("took_max", "max(took_max)"),
];
/// Values of a column that are told.
pub(super) const TOLD_MAX: usize = 64;

/// Length of a slot of [`ENDPOINT_SUMS`], microseconds: within it nobody knows when a request was.
/// The same as the interval in [`SUMS_OF_RECORDS`], where it must be a literal.
pub const SLOT_US: i64 = 3_600_000_000;

/// Sums of endpoints within a slot.
const ENDPOINT_SUMS: &str = concat!(
    "SELECT min(position) AS position, slot, application, endpoint, bucket, ",
    sums::sums!(),
    " FROM {source}"
);

/// The same before they are summed.
const SUMS_OF_RECORDS: &str = concat!(
    "SELECT position, time_bucket(INTERVAL 1 HOUR, start) AS slot, application, endpoint, ",
    sums::summed!(),
    " FROM {records} WHERE endpoint IS NOT NULL"
);

/// The schema version since which there are sums of endpoints.
pub(super) const SUMMED_SINCE: i64 = 12;

/// The schema version since which shapes are all of this.
const SHAPED_SINCE: i64 = 12;

/// The rows of shapes of `version`, out of the files `shapes` and `records`. Before
/// [`SHAPED_SINCE`] they did not say all that is asked of them: records say it, and count as none.
pub(super) fn shapes(version: i64, shapes: &str, records: Option<&str>) -> String {
    match records {
        Some(records) if version < SHAPED_SINCE => {
            let of_records = SHAPES_OF_RECORDS.replace("{records}", records);
            format!(
                "SELECT * FROM {shapes} UNION ALL BY NAME
                 SELECT * REPLACE (0::UINTEGER AS requests) FROM ({of_records})"
            )
        }
        _ => format!("SELECT * FROM {shapes}"),
    }
}

/// The schema version since which lists of records are written as JSON: DuckDB reads a list of a whole
/// row group for one row of it, and a text by its dictionary.
const PACKED_SINCE: i64 = 14;

/// The schema version since which parameters are such texts where they are hot too, and shorter: each is an array
/// of its name, its value, its kind if that is not `plain`, and a fourth text if it is forgeable.
const SHORT_SINCE: i64 = 16;

/// Files are written as they are now since this version: the latest of those above. Older ones are not merged with newer.
pub(super) const WRITTEN_SINCE: i64 = SHORT_SINCE;

/// Parameters as [`SHORT_SINCE`] has them, of a list.
const SHORT: &str = "to_json(list_transform(params, lambda it: CASE
    WHEN it.forgeable THEN [it.name, it.value, it.kind, 'forgeable']
    WHEN it.kind <> 'plain' THEN [it.name, it.value, it.kind] ELSE [it.name, it.value] END))::VARCHAR";

/// Arrays of texts, of such a text.
macro_rules! arrays {
    () => {
        r#"from_json(params, '[["VARCHAR"]]')"#
    };
}

/// The list, of such a text.
macro_rules! listed {
    () => {
        concat!(
            "list_transform(",
            arrays!(),
            ", lambda it: {'name': it[1], 'value': it[2],
                'kind': coalesce(it[3], 'plain'), 'forgeable': it[4] IS NOT NULL})"
        )
    };
}

/// The rows of `hot_records` as everybody else sees them.
pub(super) const HOT_RECORDS: &str = concat!(
    "SELECT * REPLACE (",
    listed!(),
    " AS params) FROM hot_records"
);

/// Rows of `{source}`, of `hot_records`, as files have them.
const PACKED: &str = "SELECT * REPLACE (
    to_json(query_names)::VARCHAR AS query_names, to_json(query_values)::VARCHAR AS query_values,
    to_json(truncated)::VARCHAR AS truncated, to_json(extract_failed)::VARCHAR AS extract_failed,
    to_json(list_transform(links, lambda it:
        {'kind': it.kind, 'session': hex(it.session), 'key': it.key}))::VARCHAR AS links)
    FROM {source}";

/// The rows of `{file}`, made by [`PACKED`], as everybody else sees them; `{params}` are the parameters.
const UNPACKED: &str = r#"(SELECT * REPLACE (
    from_json(query_names, '["VARCHAR"]') AS query_names,
    from_json(query_values, '[{"name": "VARCHAR", "value": "VARCHAR"}]') AS query_values,
    from_json(truncated, '["VARCHAR"]') AS truncated, {params} AS params,
    from_json(extract_failed, '[{"name": "VARCHAR", "why": "VARCHAR"}]') AS extract_failed,
    list_transform(from_json(links, '[{"kind": "VARCHAR", "session": "VARCHAR", "key": "VARCHAR"}]'),
        lambda it: {'kind': it.kind, 'session': unhex(it.session), 'key': it.key}) AS links)
    FROM {file})"#;

/// Parameters before [`SHORT_SINCE`].
const LONG: &str = r#"from_json(params, '[{"name": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR",
    "forgeable": "BOOLEAN"}]')"#;

/// The rows of files of `kind` that `version` wrote, a source for FROM; `files` reads them.
pub(super) fn unpacked(kind: &Kind, version: i64, files: &str) -> String {
    if kind.name != "records" || version < PACKED_SINCE {
        return files.to_owned();
    }
    let params = if version < SHORT_SINCE {
        LONG
    } else {
        listed!()
    };
    let unpacked = UNPACKED.replace("{params}", params);
    unpacked.replace("{file}", files)
}

/// The same rows as `hot_records` has them: a SELECT.
#[must_use]
pub fn as_hot(rows: &str) -> String {
    format!("SELECT * REPLACE ({SHORT} AS params) FROM {rows}")
}

const LOOKUPS: &str = "SELECT DISTINCT hash, session FROM {source}";

/// `{records}` and `{param_parts}` are the files of that name. What has no hash is left out by its columns:
/// asked of the hash, DuckDB would make each hash twice.
const LOOKUPS_OF_FILES: &str =
    "SELECT md5_number_lower('request' || chr(0) || request_id) AS hash, session FROM {records}
    WHERE request_id IS NOT NULL
    UNION ALL SELECT md5_number_lower('trace' || chr(0) || trace_id), session FROM {records}
    WHERE trace_id IS NOT NULL
    UNION ALL SELECT md5_number_lower('param' || chr(0) || name || chr(0) || value), session
    FROM {param_parts} WHERE name IS NOT NULL AND value IS NOT NULL";

const VISITS: &str = "SELECT min(position) AS position, session, visit_start,
    arg_min(application, ordinal) AS application, arg_min(key, ordinal) AS key,
    min(first) AS first, max(last) AS last, sum(requests)::UBIGINT AS requests,
    sum(errors_4xx)::UBIGINT AS errors_4xx, sum(errors_5xx)::UBIGINT AS errors_5xx,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
    least(sum(duration_us), 18446744073709551615)::UBIGINT AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents,
    bool_or(more) AS more, max(ordinal) AS ordinal, arg_max(arrived, ordinal) AS arrived,
    list_sort(list_distinct(flatten(list(coalesce(policy_versions, []::VARCHAR[])))))
        AS policy_versions
    FROM {source}";

const PARAMS: &str = "SELECT min(position) AS position, session, name, value, kind, forgeable,
    min(first) AS first, max(last) AS last, sum(requests)::UBIGINT AS requests FROM {source}";

/// The same before they are summed, of rows of files. They stand behind the beginning of their batch, as sums do.
const PARAMS_OF_RECORDS: &str = "SELECT position + 1 AS position, session, param.name AS name, \
    param.value AS value, param.kind AS kind, param.forgeable AS forgeable, start AS first, start AS last, \
    1::UBIGINT AS requests
    FROM (SELECT position, session, start, unnest(params) AS param FROM {records})";

/// The same, of rows of `hot_records`. What a session always has is looked into once.
macro_rules! params_of_hot {
    ($records:literal) => {
        concat!(
            "SELECT position + 1 AS position, session, it[1] AS name, it[2] AS value,
    coalesce(it[3], 'plain') AS kind, it[4] IS NOT NULL AS forgeable, first, last, requests
    FROM (SELECT position, session, first, last, requests, unnest(",
            arrays!(),
            ") AS it FROM (SELECT min(position) AS position, session, params, min(start) AS first,
        max(start) AS last, count(*)::UBIGINT AS requests FROM ",
            $records,
            " GROUP BY session, params))"
        )
    };
}
pub(super) const PARAMS_OF_HOT: &str = params_of_hot!("hot_records");

/// Which values there are; how often and when, [`PARAM_SUMS`] tells.
const HOT_PARAMS: &str = "SELECT *, NULL::TIMESTAMP AS first, NULL::TIMESTAMP AS last,
    NULL::UBIGINT AS requests FROM hot_param_values";

/// Context parameters with their figures, for FROM: sums of what is closed, and [`PARAMS_OF_HOT`].
pub const PARAM_SUMS: &str = concat!(
    "(FROM param_parts WHERE requests IS NOT NULL UNION ALL BY NAME ",
    params_of_hot!("hot_records"),
    ")"
);

const LINKS: &str = "SELECT min(position) AS position, session_a, session_b, kind,
    any_value(key_a) AS key_a, any_value(key_b) AS key_b, min(first) AS first,
    max(last) AS last, sum(requests)::UBIGINT AS requests FROM {source}";

/// All kinds, in the order in which they are made.
///
/// Sums that stand at several positions of the log are folded into one that stands at the first:
/// whoever sees the log up to a position within the segment sees a little more, never less.
pub(super) const ALL: &[Kind] = &[
    Kind {
        name: "records",
        from: From::Batches,
        select: PACKED,
        group: "",
        order: "session, start, boot, worker, sequence, idx",
        rows: 20_480,
        sessions: &["session"],
        summary: false,
    },
    Kind {
        name: "visit_parts",
        from: From::Sums("hot_visit_parts"),
        select: VISITS,
        group: "session, visit_start",
        order: "session, visit_start",
        rows: 20_480,
        sessions: &["session"],
        summary: true,
    },
    Kind {
        name: "param_parts",
        from: From::Told {
            of_records: PARAMS_OF_RECORDS,
            of_hot: params_of_hot!("{records}"),
            hot: HOT_PARAMS,
        },
        select: PARAMS,
        group: "session, name, value, kind, forgeable",
        order: "session, name, last",
        rows: 20_480,
        sessions: &["session"],
        summary: true,
    },
    Kind {
        name: "link_parts",
        from: From::Sums("hot_link_parts"),
        select: LINKS,
        group: "session_a, session_b, kind",
        order: "session_a, session_b",
        rows: 20_480,
        sessions: &["session_a", "session_b"],
        summary: true,
    },
    Kind {
        name: "shapes",
        from: From::Records(SHAPES_OF_RECORDS),
        select: SHAPES,
        group: shape!(),
        // Policies come one after the other, so they stand for the time.
        order: "policy_version, path, status, method, host, session",
        // Fewer have shorter footers, which each question reads; more take longer to look into.
        rows: 61_440,
        sessions: &["session"],
        summary: false,
    },
    Kind {
        name: "endpoint_sums",
        from: From::Records(SUMS_OF_RECORDS),
        select: ENDPOINT_SUMS,
        group: "slot, application, endpoint, bucket",
        order: "slot, application, endpoint, bucket",
        rows: 122_880,
        sessions: &[],
        summary: true,
    },
    Kind {
        name: "lookups",
        from: From::Files(LOOKUPS_OF_FILES),
        select: LOOKUPS,
        group: "",
        order: "hash, session",
        // So many that sessions are told as numbers: where they are less than a fifth of the rows.
        rows: 245_760,
        sessions: &["session"],
        summary: false,
    },
];

impl Kind {
    /// The condition for rows of the log from `begin` to `end`, ends of transactions.
    pub(super) fn between(&self, begin: u64, end: u64) -> String {
        match self.from {
            From::Batches => format!("position >= {begin} AND position < {end}"),
            From::Sums(_) => format!("position > {begin} AND position <= {end}"),
            From::Records(_) | From::Told { .. } | From::Files(_) => "true".into(),
        }
    }

    /// The hot table that it empties.
    pub(super) fn table(&self) -> Option<&'static str> {
        match self.from {
            From::Batches => Some("hot_records"),
            From::Sums(table) => Some(table),
            From::Records(_) | From::Told { .. } | From::Files(_) => None,
        }
    }

    /// The SELECT over `{records}`, rows of files, that makes its rows.
    pub(super) fn of_records(&self) -> Option<&'static str> {
        match self.from {
            From::Records(select) => Some(select),
            From::Told { of_records, .. } => Some(of_records),
            From::Batches | From::Sums(_) | From::Files(_) => None,
        }
    }

    /// The same over rows of `hot_records`.
    pub(super) fn of_hot(&self) -> Option<&'static str> {
        match self.from {
            From::Told { of_hot, .. } => Some(of_hot),
            _ => self.of_records(),
        }
    }
}
