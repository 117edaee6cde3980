-- Views for whoever looks into the database, hot or closed: made anew with each segment.

CREATE OR REPLACE VIEW requests AS
SELECT
    printf('%s-%d-%d-%d', lpad(lower(to_hex(boot)), 16, '0'), worker, sequence, idx) AS record_id,
    lower(hex(session)) AS session_hex,
    lower(hex(request_session)) AS request_session_hex,
    lpad(lower(to_hex(boot)), 16, '0') AS boot_hex,
    lpad(lower(to_hex(query_hash)), 16, '0') AS query_hash_hex,
    *
FROM records;

CREATE OR REPLACE VIEW visits AS
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
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(duration_us) AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents,
    list_sort(list_distinct(flatten(list(coalesce(policy_versions, []::VARCHAR[])))))
        AS policy_versions
FROM visit_parts
GROUP BY session, visit_start;

CREATE OR REPLACE VIEW sessions AS
SELECT
    lower(hex(session)) AS session,
    arg_min(application, ordinal) AS application,
    arg_min(key, ordinal) AS key,
    min(first) AS first,
    max(last) AS last,
    count(DISTINCT visit_start)::UBIGINT AS visits,
    sum(requests)::UBIGINT AS requests,
    sum(errors_4xx)::UBIGINT AS errors_4xx,
    sum(errors_5xx)::UBIGINT AS errors_5xx,
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(duration_us) AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents
FROM visit_parts
GROUP BY session;
