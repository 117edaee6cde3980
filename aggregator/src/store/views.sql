-- Views over the tables, for whoever looks into the file: made anew after each migration.

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

-- The last word of detection about each subject, with the last label of people.
CREATE OR REPLACE VIEW current_verdicts AS
SELECT last.*, label.label, label.note, label.author, label.labelled
FROM (
    SELECT *, min(said_at) OVER subject AS first_at, count(*) OVER subject AS times
    FROM verdicts
    WINDOW subject AS (PARTITION BY id)
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY position DESC, idx DESC) = 1
) AS last
LEFT JOIN (
    SELECT id,
        arg_max(label, position) AS label,
        arg_max(note, position) AS note,
        arg_max(author, position) AS author,
        arg_max(said_at, position) AS labelled
    FROM labels GROUP BY id
    HAVING arg_max(coalesce(label, ''), position) <> ''
) AS label USING (id);
