//! Requests of endpoints, summed: by duration, so that percentiles come from the sums.

/// Buckets of a doubling: durations are known to about 4 %. [`bucket!`] has it too, where it must be a
/// literal; a test holds the two together.
const BUCKETS_PER_DOUBLING: u32 = 8;

/// The number of the bucket of `duration_us`, as SQL.
macro_rules! bucket {
    () => {
        "CASE WHEN duration_us = 0 THEN 0
              ELSE floor(log2(duration_us) * 8) + 1 END::USMALLINT"
    };
}
pub(crate) use bucket;

/// What is summed of one request, as SQL over rows of `records`.
macro_rules! summed {
    () => {
        concat!(
            $crate::endpoints::sums::bucket!(),
            " AS bucket, 1 AS requests,
            coalesce(status BETWEEN 400 AND 499, false)::INTEGER AS errors_4xx,
            coalesce(status BETWEEN 500 AND 599, false)::INTEGER AS errors_5xx,
            request_bytes, response_bytes, start AS first, start AS last"
        )
    };
}
pub(crate) use summed;

/// The sums of such rows, and of such sums. Counts are of the type that DuckDB sums soonest.
macro_rules! sums {
    () => {
        "sum(requests)::INTEGER AS requests, sum(errors_4xx)::INTEGER AS errors_4xx,
    sum(errors_5xx)::INTEGER AS errors_5xx,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
    min(first) AS first, max(last) AS last"
    };
}
pub(crate) use sums;

/// The middle of the bucket with the number `bucket`, milliseconds, as SQL.
#[must_use]
pub fn middle_ms(bucket: &str) -> String {
    format!(
        "CASE WHEN {bucket} = 0 THEN 0.0
              ELSE round(pow(2.0, ({bucket} - 0.5) / {BUCKETS_PER_DOUBLING}) / 1000, 3) END"
    )
}

/// Who asks for endpoints in the rows of `records` for which `condition` holds; `is_bot` tells sessions
/// of bots. A session is a number: 64 bits tell those of one answer apart, and are counted sooner than ids.
#[must_use]
pub fn asking(condition: &str, is_bot: &str) -> String {
    format!(
        "SELECT application, endpoint, hash(session) AS session, {is_bot} AS bot
         FROM records WHERE endpoint IS NOT NULL AND {condition}"
    )
}

/// The same, with what is summed of each.
#[must_use]
pub fn of_records(condition: &str, is_bot: &str) -> String {
    format!(
        "SELECT application, endpoint, hash(session) AS session, {is_bot} AS bot, {}
         FROM records WHERE endpoint IS NOT NULL AND {condition}",
        summed!()
    )
}

/// Sums of each endpoint and bucket of the table `rows`: [`of_records`], or sums.
#[must_use]
pub fn by_bucket(rows: &str) -> String {
    format!(
        "SELECT application, endpoint, bucket, sum(requests)::UBIGINT AS requests,
            sum(errors_4xx)::UBIGINT AS errors_4xx, sum(errors_5xx)::UBIGINT AS errors_5xx,
            sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes,
            min(first) AS first, max(last) AS last
         FROM {rows} GROUP BY application, endpoint, bucket"
    )
}

/// Figures of each endpoint: of the table `sums`, which is [`by_bucket`], and of who is in the table
/// `asking`, whose requests are `sampled`.
#[must_use]
pub fn figures(sums: &str, asking: &str) -> String {
    let percentile = |share: f64, name: &str| {
        format!("min(middle_ms) FILTER (reached >= {share} * all_requests) AS {name}")
    };
    format!(
        "SELECT totals.*, coalesce(sessions, 0)::UBIGINT AS sessions, coalesce(sampled, 0)::UBIGINT AS sampled,
            coalesce(bot_requests, 0)::UBIGINT AS bot_requests
         FROM (
            SELECT application, endpoint, sum(requests)::UBIGINT AS requests,
                sum(errors_4xx)::UBIGINT AS errors_4xx, sum(errors_5xx)::UBIGINT AS errors_5xx,
                least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
                least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
                min(first) AS first, max(last) AS last, {}, {}, {}
            FROM (SELECT *, {} AS middle_ms,
                    sum(requests) OVER (PARTITION BY application, endpoint ORDER BY bucket) AS reached,
                    sum(requests) OVER (PARTITION BY application, endpoint) AS all_requests
                FROM {sums})
            GROUP BY application, endpoint
         ) AS totals LEFT JOIN (
            SELECT application, endpoint, count(*) AS sessions, sum(requests) AS sampled,
                sum(bots) AS bot_requests
            FROM (SELECT application, endpoint, session, count(*) AS requests,
                    count(*) FILTER (bot) AS bots
                FROM {asking} GROUP BY application, endpoint, session)
            GROUP BY application, endpoint
         ) AS who USING (application, endpoint)",
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
            bucket!()
        );
        let most: f64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(most < 0.05, "{most}");
    }
}
