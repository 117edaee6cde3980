-- Version 2 → 3: header shapes, verdicts, and what people decided about them.
ALTER TABLE records ADD COLUMN header_shape UBIGINT;
ALTER TABLE records ADD COLUMN header_marks UINTEGER;

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

-- From where in the log which profiles hold, as the JSON array of the policy.
CREATE TABLE profiles (
    position UBIGINT NOT NULL,
    policy_version VARCHAR,
    document VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
