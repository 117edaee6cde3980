-- Version 5 → 6: closed segments. What was a table is a view over the hot rows and the files.
ALTER TABLE records RENAME TO hot_records;
ALTER TABLE visit_parts RENAME TO hot_visit_parts;
ALTER TABLE link_parts RENAME TO hot_link_parts;
ALTER TABLE param_parts RENAME TO hot_param_parts;

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
    applications VARCHAR NOT NULL
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
    gone_at TIMESTAMP
);

-- One row for each session, summed up to the position in `folded`; all of it follows from the parts.
CREATE TABLE session_sums (
    session BLOB NOT NULL,
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
    roles VARCHAR[] NOT NULL
);
CREATE TABLE folded (position UBIGINT NOT NULL);
INSERT INTO folded VALUES (0);
