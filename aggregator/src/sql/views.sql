-- What users of SQL see: `docs/sql.md` describes every column, and a test holds the two together.
-- `raw` holds the service's own tables and views, which may change with any release.

CREATE VIEW requests AS
SELECT
    printf('%s-%d-%d-%d', lpad(lower(to_hex(boot)), 16, '0'), worker, sequence, idx) AS record_id,
    start,
    lower(hex(session)) AS session,
    lower(hex(request_session)) AS request_session,
    visit_start,
    application,
    key,
    capture_point,
    policy_version,
    node,
    request_id,
    trace_id,
    method,
    scheme,
    host,
    path,
    query_names,
    protocol,
    status,
    flags,
    request_bytes,
    response_bytes,
    duration_us,
    upstream_us,
    client_ip,
    user_agent,
    referer_host,
    content_type,
    endpoint
FROM raw.records;

CREATE VIEW visits AS
SELECT
    lower(hex(session)) AS session,
    visit_start,
    arg_min(application, ordinal) AS application,
    arg_min(key, ordinal) AS key,
    min(first) AS first,
    max(last) AS last,
    sum(requests)::UBIGINT AS requests,
    sum(errors_4xx)::UBIGINT AS errors_4xx,
    sum(errors_5xx)::UBIGINT AS errors_5xx,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
    least(sum(duration_us), 18446744073709551615)::UBIGINT AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents
FROM raw.visit_parts
GROUP BY ALL;

CREATE VIEW sessions AS
SELECT
    session,
    arg_min(application, first) AS application,
    arg_min(key, first) AS key,
    min(first) AS first,
    max(last) AS last,
    count(*)::UBIGINT AS visits,
    sum(requests)::UBIGINT AS requests,
    sum(errors_4xx)::UBIGINT AS errors_4xx,
    sum(errors_5xx)::UBIGINT AS errors_5xx,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
    least(sum(duration_us), 18446744073709551615)::UBIGINT AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents
FROM visits
GROUP BY session;

CREATE VIEW verdicts AS
SELECT
    id,
    subject_kind,
    subject,
    session,
    application,
    bot_type,
    confidence,
    sensitivity,
    flagged,
    first_at,
    said_at,
    expires,
    requests,
    policy_version,
    votes,
    label,
    note,
    author
FROM raw.current_verdicts;

CREATE VIEW links AS
SELECT
    lower(hex(session_a)) AS session,
    lower(hex(session_b)) AS linked_session,
    kind,
    min(first) AS first,
    max(last) AS last,
    sum(requests)::UBIGINT AS requests
FROM raw.link_parts
GROUP BY ALL;

CREATE VIEW parameters AS
SELECT
    lower(hex(session)) AS session,
    name,
    value,
    kind,
    forgeable,
    min(first) AS first,
    max(last) AS last,
    sum(requests)::UBIGINT AS requests
FROM (
    SELECT session, name, value, kind, forgeable, first, last, requests FROM raw.param_parts
    WHERE requests IS NOT NULL
    UNION ALL SELECT session, it[1], it[2], coalesce(it[3], 'plain'), it[4] IS NOT NULL, first, last, requests
    FROM (SELECT session, first, last, requests, unnest(from_json(params, '[["VARCHAR"]]')) AS it
        FROM (SELECT session, params, min(start) AS first, max(start) AS last, count(*) AS requests
            FROM raw.hot_records GROUP BY session, params)))
GROUP BY ALL;
