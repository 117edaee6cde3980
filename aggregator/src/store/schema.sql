-- `migrate_2.sql` and those after it bring older schemas here, and `views.sql` makes
-- the views of all.
-- New columns stand at the end of their table, where a migration can put them. Ids are kept as numbers and bytes; the views
-- show them as text.
-- No keys and no indexes: an index halves the speed of inserts, and one row that is deleted and
-- inserted again within a transaction conflicts with itself.

CREATE TABLE schema_version (version INTEGER NOT NULL);

-- One row: how far the log has been stored, and how many records that were.
CREATE TABLE log_position (position UBIGINT NOT NULL, ordinal UBIGINT NOT NULL);

-- One row per HTTP exchange. `position` is where its batch lies in the log.
CREATE TABLE hot_records (
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

-- Sums of a visit over the records of one transaction; only ever appended to.
CREATE TABLE hot_visit_parts (
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
    accepted VARCHAR NOT NULL,
    -- JSON: how often each rule and parameter found its value, and a live policy it refused.
    shares VARCHAR DEFAULT '[]',
    refused VARCHAR
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

-- Two sessions known to belong together, summed over one transaction: `session_a` is the records'
-- own, `session_b` the one it was linked to.
CREATE TABLE hot_link_parts (
    position UBIGINT NOT NULL,
    session_a BLOB NOT NULL,
    session_b BLOB NOT NULL,
    kind VARCHAR NOT NULL,
    key_a VARCHAR NOT NULL,
    key_b VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    requests UBIGINT NOT NULL
);

-- Which values of context parameters the sessions of hot records have: each at least once, by what is
-- looked up. The figures are those of the records.
CREATE TABLE hot_param_values (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL USING COMPRESSION uncompressed,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    forgeable BOOLEAN NOT NULL
);

-- What candidate policies would have made of a record. `client` is a hash of address and user
-- agent, `user` the first user parameter. `position` and `idx` name the record; `idx` is null in rows
-- of before schema version 7.
CREATE TABLE trials (
    position UBIGINT NOT NULL,
    start TIMESTAMP NOT NULL,
    candidate VARCHAR NOT NULL,
    client UBIGINT NOT NULL,
    session BLOB NOT NULL,
    key VARCHAR NOT NULL,
    trial_session BLOB NOT NULL,
    trial_application VARCHAR NOT NULL,
    trial_key VARCHAR NOT NULL,
    user VARCHAR,
    idx UINTEGER,
    trial_request_session BLOB,
    trial_links STRUCT(kind VARCHAR, session BLOB, key VARCHAR)[]
);

-- What the key finder saw: places of one exchange, each with a keyed hash of its value.
CREATE TABLE finds (
    position UBIGINT NOT NULL,
    arrived TIMESTAMP NOT NULL,
    start TIMESTAMP NOT NULL,
    client UBIGINT NOT NULL,
    login BOOLEAN NOT NULL,
    places STRUCT(place VARCHAR, hash UBIGINT)[] NOT NULL
);

-- What bot detection said, in log order: one row for each time that it had something new to say
-- about a subject, which `id` names. `session` is the one whose request led to it; `position` and `idx` name the record that led to it, `votes` is a JSON array.
CREATE TABLE verdicts (
    position UBIGINT NOT NULL,
    idx UINTEGER NOT NULL,
    id VARCHAR NOT NULL,
    subject_kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    application VARCHAR NOT NULL,
    bot_type VARCHAR NOT NULL,
    confidence DOUBLE NOT NULL,
    sensitivity VARCHAR NOT NULL,
    flagged BOOLEAN NOT NULL,
    knowledge VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL,
    expires TIMESTAMP NOT NULL,
    requests UINTEGER NOT NULL,
    policy_version VARCHAR,
    votes VARCHAR NOT NULL
);

-- One row: up to where in the log the verdicts are all there.
CREATE TABLE verdict_position (position UBIGINT NOT NULL);
INSERT INTO verdict_position VALUES (0);

-- What people said of verdicts, the last word counts: `label` is null where one was taken back.
CREATE TABLE labels (
    position UBIGINT NOT NULL,
    id VARCHAR NOT NULL,
    label VARCHAR,
    note VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);

-- Addresses that were found to be a crawler's, and the domain of the policy that they have a name in.
CREATE TABLE crawlers (
    position UBIGINT NOT NULL,
    address VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);

-- From where in the log which profiles hold, as the JSON array of the policy; where the policy
-- also says when visits end, an object of `profiles` and `visits`.
CREATE TABLE profiles (
    position UBIGINT NOT NULL,
    policy_version VARCHAR,
    document VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);

-- What was learnt of each application's paths, as JSON.
CREATE TABLE templates (application VARCHAR NOT NULL, tree VARCHAR NOT NULL);

-- Stretches of the log that left the tables `hot_…` for Parquet files, named after
-- `end_position`, the position after their last record. `kinds`: which files, with commas between.
CREATE TABLE segments (
    end_position UBIGINT NOT NULL,
    rewrite UINTEGER NOT NULL,
    version BIGINT NOT NULL,
    arrived_from TIMESTAMP NOT NULL,
    arrived_to TIMESTAMP NOT NULL,
    records UBIGINT NOT NULL,
    kinds VARCHAR NOT NULL,
    bytes UBIGINT NOT NULL,
    detail_bytes UBIGINT NOT NULL,
    -- Its records went before their time, and the summaries stayed.
    trimmed BOOLEAN NOT NULL,
    -- JSON: the applications whose records are in it because it is not their time yet.
    applications VARCHAR NOT NULL,
    -- Records that were left out of it, because only a share of their path's are kept.
    sampled_out UBIGINT NOT NULL,
    -- JSON: the values that columns of its shapes have, as far as these are few.
    told VARCHAR NOT NULL,
    -- JSON: whose files its records are in, where it was merged of several.
    parts VARCHAR NOT NULL
);

-- Sessions that are kept beyond their time.
CREATE TABLE pins (session BLOB NOT NULL, author VARCHAR NOT NULL, pinned_at TIMESTAMP NOT NULL);

-- Sessions to be forgotten that are still in files: their rows there are in no view.
CREATE TABLE forgotten_sessions (session BLOB NOT NULL);

-- Who had what forgotten: `what` is `session` or `user`, `hash` the keyless SHA-256 of its name, so
-- that a question can be answered, and nothing read off.
CREATE TABLE forgettings (
    asked_at TIMESTAMP NOT NULL,
    author VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    sessions UBIGINT NOT NULL,
    gone_at TIMESTAMP,
    -- The log may hold something of it before this position.
    log_position UBIGINT NOT NULL,
    -- No file of the store has anything of it any more.
    rewritten BOOLEAN NOT NULL
);

-- One row for each session, summed up to the position in `folded`; all of it follows from the parts. Ids are
-- what is joined by, and nothing compresses them: FSST, which DuckDB would take, makes a join take three times as long.
-- Several values are one text, as `joined.rs` joins them: a list is read whole wherever any row of it is.
CREATE TABLE session_sums (
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
CREATE TABLE folded (position UBIGINT NOT NULL);
-- All parts of visits after this position are in `hot_visit_parts`, those of the last two segments too.
CREATE TABLE parts_since (position UBIGINT NOT NULL);
INSERT INTO parts_since VALUES (0);
-- First two hex digits of ids of sessions that a migration took out of `session_sums`: the start makes them anew.
CREATE TABLE sums_missing (prefix VARCHAR NOT NULL);
INSERT INTO folded VALUES (0);

-- What people say of sessions: one row for each, the last word.
CREATE TABLE notes (
    session BLOB NOT NULL,
    labels VARCHAR[] NOT NULL,
    note VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);

-- Pages of the web UI with their filter, under a name.
CREATE TABLE saved_views (
    name VARCHAR NOT NULL,
    page VARCHAR NOT NULL,
    query VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);

-- OpenAPI documents as they were uploaded, one for each application, and the operations in them:
-- `endpoint` is method and template, such as `GET /orders/{id}`.
CREATE TABLE api_documents (
    application VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    document VARCHAR NOT NULL,
    operations UBIGINT NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
CREATE TABLE api_operations (application VARCHAR NOT NULL, endpoint VARCHAR NOT NULL);

-- When each endpoint was asked for first and last, as long as it is remembered, up to the log
-- position in `endpoints_seen_to`; `operation` is the one of the document that it is.
CREATE TABLE endpoints_seen (
    application VARCHAR NOT NULL,
    endpoint VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    operation VARCHAR
);
CREATE TABLE endpoints_seen_to (position UBIGINT NOT NULL);
INSERT INTO endpoints_seen_to VALUES (0);

-- Who did what of this, and pinned what: for the audit log.
CREATE TABLE deeds (
    done_at TIMESTAMP NOT NULL,
    author VARCHAR NOT NULL,
    comment VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL
);
