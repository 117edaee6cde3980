-- Version 7 → 8: what people put beside what was recorded, and when endpoints were seen first.
CREATE TABLE notes (
    session BLOB NOT NULL,
    labels VARCHAR[] NOT NULL,
    note VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
CREATE TABLE saved_views (
    name VARCHAR NOT NULL,
    page VARCHAR NOT NULL,
    query VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
CREATE TABLE api_documents (
    application VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    document VARCHAR NOT NULL,
    operations UBIGINT NOT NULL,
    author VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
CREATE TABLE api_operations (application VARCHAR NOT NULL, endpoint VARCHAR NOT NULL);
CREATE TABLE endpoints_seen (
    application VARCHAR NOT NULL,
    endpoint VARCHAR NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    operation VARCHAR
);
CREATE TABLE endpoints_seen_to (position UBIGINT NOT NULL);
INSERT INTO endpoints_seen_to VALUES (0);
CREATE TABLE deeds (
    done_at TIMESTAMP NOT NULL,
    author VARCHAR NOT NULL,
    comment VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL
);
