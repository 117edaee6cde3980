-- Version 1 → 2: links, context parameters, trials of candidate policies, the key finder.
ALTER TABLE records ADD COLUMN links STRUCT(kind VARCHAR, session BLOB, key VARCHAR)[];
ALTER TABLE records
    ADD COLUMN params STRUCT(name VARCHAR, value VARCHAR, kind VARCHAR, forgeable BOOLEAN)[];
ALTER TABLE records ADD COLUMN extract_failed STRUCT(name VARCHAR, why VARCHAR)[];
ALTER TABLE workers ADD COLUMN shares VARCHAR DEFAULT '[]';
ALTER TABLE workers ADD COLUMN refused VARCHAR;

-- Two sessions known to belong together, summed over one transaction: `session_a` is the records'
-- own, `session_b` the one it was linked to.
CREATE TABLE link_parts (
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

-- Context parameters of a session, summed over one transaction: of users and roles every value,
-- of plain ones the last.
CREATE TABLE param_parts (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    forgeable BOOLEAN NOT NULL,
    first TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    requests UBIGINT NOT NULL
);

-- What candidate policies would have made of a record. `client` is a hash of address and user
-- agent, `user` the first user parameter.
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
    user VARCHAR
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
