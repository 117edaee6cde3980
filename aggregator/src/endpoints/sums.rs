//! Requests of endpoints, summed: by answer, bot or not, and duration. Percentiles come from the sums.

/// Buckets of a doubling: durations are known to about 4 %.
const BUCKETS_PER_DOUBLING: u32 = 8;

/// The number of the bucket of `duration_us`, as SQL.
#[must_use]
pub fn bucket() -> String {
    format!(
        "CASE WHEN duration_us = 0 THEN 0
              ELSE floor(log2(duration_us) * {BUCKETS_PER_DOUBLING}) + 1 END::USMALLINT"
    )
}

/// The middle of the bucket with the number `bucket`, milliseconds, as SQL.
#[must_use]
pub fn middle_ms(bucket: &str) -> String {
    format!(
        "CASE WHEN {bucket} = 0 THEN 0.0
              ELSE round(pow(2.0, ({bucket} - 0.5) / {BUCKETS_PER_DOUBLING}) / 1000, 3) END"
    )
}

/// What is summed of the rows of `records` for which `condition` holds; `is_bot` tells sessions of bots.
/// A session is a number: 64 bits tell those of one answer apart, and are counted sooner than ids.
#[must_use]
pub fn of_records(condition: &str, is_bot: &str) -> String {
    format!(
        "SELECT application, endpoint, hash(session) AS session,
            coalesce(status // 100, 0)::UTINYINT AS class, {is_bot} AS bot, {} AS bucket,
            request_bytes, response_bytes, start
         FROM records WHERE endpoint IS NOT NULL AND {condition}",
        bucket()
    )
}

/// Figures of each endpoint in the table `sums`, whose rows are those of [`of_records`].
#[must_use]
pub fn figures(sums: &str) -> String {
    let percentile = |share: f64, name: &str| {
        format!("min(middle_ms) FILTER (reached >= {share} * all_requests) AS {name}")
    };
    format!(
        "SELECT totals.*, sessions, p50_ms, p95_ms, p99_ms FROM (
            SELECT application, endpoint, count(*)::UBIGINT AS requests,
                (count(*) FILTER (class = 4))::UBIGINT AS errors_4xx,
                (count(*) FILTER (class = 5))::UBIGINT AS errors_5xx,
                (count(*) FILTER (bot))::UBIGINT AS bot_requests,
                least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
                least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
                min(start) AS first, max(start) AS last
            FROM {sums} GROUP BY application, endpoint
         ) AS totals JOIN (
            SELECT application, endpoint, count(*)::UBIGINT AS sessions
            FROM (SELECT DISTINCT application, endpoint, session FROM {sums})
            GROUP BY application, endpoint
         ) AS asking USING (application, endpoint) JOIN (
            SELECT application, endpoint, {}, {}, {} FROM (
                SELECT application, endpoint, {} AS middle_ms,
                    sum(requests) OVER (PARTITION BY application, endpoint ORDER BY bucket) AS reached,
                    sum(requests) OVER (PARTITION BY application, endpoint) AS all_requests
                FROM (SELECT application, endpoint, bucket, count(*) AS requests FROM {sums}
                    GROUP BY application, endpoint, bucket)
            ) GROUP BY application, endpoint
         ) AS percentiles USING (application, endpoint)",
        percentile(0.5, "p50_ms"),
        percentile(0.95, "p95_ms"),
        percentile(0.99, "p99_ms"),
        middle_ms("bucket"),
    )
}

#[cfg(test)]
mod tests {
    use duckdb::Connection;

    use super::*;

    #[test]
    fn a_bucket_is_as_wide_as_it_says() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = format!(
            "SELECT max(abs(middle - duration_us) / duration_us) FROM (
                SELECT duration_us, {} * 1000 AS middle FROM (
                    SELECT duration_us, {} AS bucket
                    FROM (SELECT (1 << range)::UBIGINT + 3 AS duration_us FROM range(8, 40))))",
            middle_ms("bucket"),
            bucket()
        );
        let most: f64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(most < 0.05, "{most}");
    }
}
