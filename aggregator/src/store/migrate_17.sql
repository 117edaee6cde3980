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
INSERT INTO new_session_sums BY NAME SELECT *, len(string_split(visit_starts, chr(10))[2:-2]) AS visits,
    lower(user_agents) AS user_agents_lower
FROM (SELECT * REPLACE (
    CASE WHEN len(visit_starts) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(visit_starts)), chr(10)) || chr(10)
        ELSE '' END AS visit_starts,
    CASE WHEN len(ips) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(ips)), chr(10)) || chr(10)
        ELSE '' END AS ips,
    CASE WHEN len(user_agents) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(user_agents)), chr(10)) || chr(10)
        ELSE '' END AS user_agents,
    CASE WHEN len(users) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(users)), chr(10)) || chr(10)
        ELSE '' END AS users,
    CASE WHEN len(roles) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(roles)), chr(10)) || chr(10)
        ELSE '' END AS roles,
    CASE WHEN len(ua_families) > 0 THEN chr(10) || array_to_string(list_sort(list_distinct(ua_families)), chr(10)) || chr(10)
        ELSE '' END AS ua_families)
FROM (SELECT session, application, key, first, last, requests, errors_4xx, errors_5xx, request_bytes, response_bytes,
    duration_us, more, list_transform(visit_starts, lambda one: epoch_us(one)::VARCHAR) AS visit_starts,
    list_transform(ips, lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))
        AS ips,
    list_transform(user_agents, lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))
        AS user_agents,
    list_transform(users, lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))
        AS users,
    list_transform(roles, lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))
        AS roles,
    list_transform(ua_families, lambda one: replace(replace(one, chr(1), chr(1) || chr(3)), chr(10), chr(1) || chr(2)))
        AS ua_families
FROM session_sums));
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
