-- Version 15 → 16: context parameters of records are texts where they are hot too, and shorter (decision 0025). Those
-- of closed segments are read as they are. ALTER … USING takes no lambda.
CREATE TABLE new_hot_records (
    position UBIGINT NOT NULL,
    boot UBIGINT NOT NULL,
    worker UINTEGER NOT NULL,
    sequence UBIGINT NOT NULL,
    idx UINTEGER NOT NULL,
    start TIMESTAMP NOT NULL,
    session BLOB NOT NULL USING COMPRESSION uncompressed,
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
    truncated VARCHAR[],
    links STRUCT(kind VARCHAR, session BLOB, key VARCHAR)[],
    -- JSON: [["user", "ann", "user"], ["plan", "gold"]]: name, value, kind unless `plain`, and a fourth if forgeable.
    params VARCHAR,
    extract_failed STRUCT(name VARCHAR, why VARCHAR)[],
    header_shape UBIGINT,
    header_marks UINTEGER,
    endpoint VARCHAR
);
INSERT INTO new_hot_records BY NAME SELECT * REPLACE (to_json(list_transform(params, lambda it: CASE
    WHEN it.forgeable THEN [it.name, it.value, it.kind, 'forgeable']
    WHEN it.kind <> 'plain' THEN [it.name, it.value, it.kind] ELSE [it.name, it.value] END))::VARCHAR AS params)
    FROM hot_records;
DROP TABLE hot_records;
ALTER TABLE new_hot_records RENAME TO hot_records;
