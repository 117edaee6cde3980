-- Version 9 → 10: addresses that were found to be a crawler's.
CREATE TABLE crawlers (
    position UBIGINT NOT NULL,
    address VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    said_at TIMESTAMP NOT NULL
);
