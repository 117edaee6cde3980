-- Version 16 → 17: the lists in `session_sums` are texts, as `joined.rs` joins them (decision 0027). Whoever is
-- forgotten is gone when the log has nothing of it any more either.
CREATE TABLE new_session_sums (
    session BLOB NOT NULL USING COMPRESSION uncompressed,
    application VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    visits UBIGINT NOT NULL,
    requests UBIGINT NOT NULL,
    errors_4xx UBIGINT NOT NULL,
    errors_5xx UBIGINT NOT NULL,
    request_bytes UBIGINT NOT NULL,
    response_bytes UBIGINT NOT NULL,
    duration_us UBIGINT NOT NULL,
    more BOOLEAN NOT NULL,
    visit_starts VARCHAR NOT NULL,
    ips VARCHAR NOT NULL USING COMPRESSION uncompressed,
    user_agents VARCHAR NOT NULL,
    users VARCHAR NOT NULL,
    roles VARCHAR NOT NULL,
    ua_families VARCHAR NOT NULL,
    user_agents_lower VARCHAR NOT NULL
);
CREATE TEMP MACRO joined(list) AS CASE WHEN len(list) > 0
    THEN chr(10) || array_to_string(list_sort(list_distinct(list_transform(list,
        lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2))))), chr(10)) || chr(10)
    ELSE '' END;
INSERT INTO new_session_sums BY NAME SELECT session, application, key, first, last,
    len(list_distinct(visit_starts)) AS visits, requests, errors_4xx, errors_5xx, request_bytes, response_bytes,
    duration_us, more, joined(list_transform(visit_starts, lambda one: epoch_us(one)::VARCHAR)) AS visit_starts,
    joined(ips) AS ips, joined(user_agents) AS user_agents, joined(users) AS users, joined(roles) AS roles,
    joined(ua_families) AS ua_families, lower(joined(user_agents)) AS user_agents_lower
FROM session_sums;
DROP MACRO joined;
DROP TABLE session_sums;
ALTER TABLE new_session_sums RENAME TO session_sums;
CREATE TABLE new_forgettings (
    asked_at TIMESTAMP NOT NULL,
    author VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    sessions UBIGINT NOT NULL,
    gone_at TIMESTAMP,
    log_position UBIGINT NOT NULL,
    rewritten BOOLEAN NOT NULL
);
INSERT INTO new_forgettings BY NAME SELECT *, (SELECT position FROM log_position) AS log_position,
    gone_at IS NOT NULL AS rewritten FROM forgettings;
DROP TABLE forgettings;
ALTER TABLE new_forgettings RENAME TO forgettings;
