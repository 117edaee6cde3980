-- Schema version 1. Ids are kept as numbers and bytes; the views show them as text.
-- No keys and no indexes: an index halves the speed of inserts, and one row that is deleted and
-- inserted again within a transaction conflicts with itself.

CREATE TABLE schema_version (version INTEGER NOT NULL);

-- One row: how far the log has been stored, and how many records that were.
CREATE TABLE log_position (position UBIGINT NOT NULL, ordinal UBIGINT NOT NULL);

-- One row per HTTP exchange. `position` is where its batch lies in the log.
CREATE TABLE records (
    position UBIGINT NOT NULL,
    boot UBIGINT NOT NULL,
    worker UINTEGER NOT NULL,
    sequence UBIGINT NOT NULL,
    idx UINTEGER NOT NULL,
    start TIMESTAMP NOT NULL,
    session BLOB NOT NULL,
    request_session BLOB NOT NULL,
    visit_start TIMESTAMP NOT NULL,
    application VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    capture_point VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    node VARCHAR NOT NULL,
    request_id VARCHAR,
    trace_id VARCHAR,
    method VARCHAR,
    scheme VARCHAR,
    host VARCHAR,
    path VARCHAR,
    query_names VARCHAR[],
    query_values STRUCT(name VARCHAR, value VARCHAR)[],
    query_hash UBIGINT,
    protocol VARCHAR,
    status USMALLINT,
    flags VARCHAR NOT NULL,
    request_bytes UBIGINT NOT NULL,
    response_bytes UBIGINT NOT NULL,
    duration_us UBIGINT NOT NULL,
    upstream_us UBIGINT,
    client_ip VARCHAR,
    user_agent VARCHAR,
    referer_host VARCHAR,
    content_type VARCHAR,
    truncated VARCHAR[]
);

-- Sums of a visit over the records of one transaction; only ever appended to.
CREATE TABLE visit_parts (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL,
    visit_start TIMESTAMP NOT NULL,
    application VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    requests UBIGINT NOT NULL,
    errors_4xx UBIGINT NOT NULL,
    errors_5xx UBIGINT NOT NULL,
    request_bytes UBIGINT NOT NULL,
    response_bytes UBIGINT NOT NULL,
    duration_us UBIGINT NOT NULL,
    ips VARCHAR[] NOT NULL,
    user_agents VARCHAR[] NOT NULL,
    more BOOLEAN NOT NULL,
    ordinal UBIGINT NOT NULL,
    arrived TIMESTAMP NOT NULL
);

-- Record lines that could not be understood.
CREATE TABLE quarantine (
    position UBIGINT NOT NULL,
    boot UBIGINT NOT NULL,
    worker UINTEGER NOT NULL,
    sequence UBIGINT NOT NULL,
    idx UINTEGER NOT NULL,
    arrived TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    line VARCHAR NOT NULL,
    line_bytes UBIGINT NOT NULL
);

-- The loss ledger, one row per filter worker; `accepted` is the set of its batch sequences.
CREATE TABLE workers (
    boot UBIGINT NOT NULL,
    worker UINTEGER NOT NULL,
    node VARCHAR NOT NULL,
    capture_point VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    filter_version VARCHAR NOT NULL,
    first_contact TIMESTAMP NOT NULL,
    last_contact TIMESTAMP NOT NULL,
    seen UBIGINT NOT NULL,
    acknowledged UBIGINT NOT NULL,
    dropped_buffer_full UBIGINT NOT NULL,
    dropped_rejected UBIGINT NOT NULL,
    dropped_unwritable UBIGINT NOT NULL,
    stored UBIGINT NOT NULL,
    quarantined UBIGINT NOT NULL,
    accepted VARCHAR NOT NULL
);

-- What remains of workers that are no longer kept one by one: one row.
CREATE TABLE forgotten_workers (
    workers UBIGINT NOT NULL,
    seen UBIGINT NOT NULL,
    stored UBIGINT NOT NULL,
    quarantined UBIGINT NOT NULL,
    dropped UBIGINT NOT NULL
);
INSERT INTO forgotten_workers VALUES (0, 0, 0, 0, 0);

-- Parts of the log that could not be read.
CREATE TABLE log_gaps (segment VARCHAR NOT NULL, position UBIGINT NOT NULL, bytes UBIGINT NOT NULL);

-- Last reading of each Envoy's own counters, one row per admin address and run: as JSON.
CREATE TABLE envoys (name VARCHAR NOT NULL, reading VARCHAR NOT NULL);

CREATE VIEW requests AS
SELECT
    printf('%s-%d-%d-%d', lpad(lower(to_hex(boot)), 16, '0'), worker, sequence, idx) AS record_id,
    lower(hex(session)) AS session_hex,
    lower(hex(request_session)) AS request_session_hex,
    lpad(lower(to_hex(boot)), 16, '0') AS boot_hex,
    lpad(lower(to_hex(query_hash)), 16, '0') AS query_hash_hex,
    *
FROM records;

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
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(duration_us) AS duration_us,
    list_sort(list_distinct(flatten(list(ips)))) AS ips,
    list_sort(list_distinct(flatten(list(user_agents)))) AS user_agents
FROM visit_parts
GROUP BY session, visit_start;

CREATE VIEW sessions AS
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
