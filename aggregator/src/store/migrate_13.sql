-- Version 12 → 13: context parameters are summed out of the records when these are closed. Of what is hot,
-- each value of a session is written down once. Ids of sessions are kept as they are, and lists of texts as texts too.
CREATE TABLE hot_param_values (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL USING COMPRESSION uncompressed,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    forgeable BOOLEAN NOT NULL
);
INSERT INTO hot_param_values
SELECT min(position), session, name, value, kind, forgeable FROM hot_param_parts GROUP BY ALL;
DROP TABLE hot_param_parts;

CREATE TABLE new_hot_visit_parts (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL USING COMPRESSION uncompressed,
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
    arrived TIMESTAMP NOT NULL,
    policy_versions VARCHAR[]
);
INSERT INTO new_hot_visit_parts BY NAME FROM hot_visit_parts;
DROP TABLE hot_visit_parts;
ALTER TABLE new_hot_visit_parts RENAME TO hot_visit_parts;

CREATE TABLE new_session_sums (
    session BLOB NOT NULL USING COMPRESSION uncompressed,
    application VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    visit_starts TIMESTAMP[] NOT NULL,
    requests UBIGINT NOT NULL,
    errors_4xx UBIGINT NOT NULL,
    errors_5xx UBIGINT NOT NULL,
    request_bytes UBIGINT NOT NULL,
    response_bytes UBIGINT NOT NULL,
    duration_us UBIGINT NOT NULL,
    ips VARCHAR[] NOT NULL,
    user_agents VARCHAR[] NOT NULL,
    more BOOLEAN NOT NULL,
    users VARCHAR[] NOT NULL,
    roles VARCHAR[] NOT NULL,
    ua_families VARCHAR[],
    ips_text VARCHAR USING COMPRESSION uncompressed,
    user_agents_text VARCHAR,
    users_text VARCHAR,
    roles_text VARCHAR,
    ua_families_text VARCHAR
);
INSERT INTO new_session_sums BY NAME SELECT *,
    chr(10) || array_to_string(coalesce(ips, []), chr(10)) || chr(10) AS ips_text,
    chr(10) || lower(array_to_string(coalesce(user_agents, []), chr(10))) || chr(10) AS user_agents_text,
    chr(10) || array_to_string(coalesce(users, []), chr(10)) || chr(10) AS users_text,
    chr(10) || array_to_string(coalesce(roles, []), chr(10)) || chr(10) AS roles_text,
    chr(10) || array_to_string(coalesce(ua_families, []), chr(10)) || chr(10) AS ua_families_text
FROM session_sums;
DROP TABLE session_sums;
ALTER TABLE new_session_sums RENAME TO session_sums;
