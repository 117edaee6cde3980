-- Version 4 → 5: the endpoint that a record calls, and what was learnt of paths. Older records have
-- none.
ALTER TABLE records ADD COLUMN endpoint VARCHAR;
CREATE TABLE templates (application VARCHAR NOT NULL, tree VARCHAR NOT NULL);
