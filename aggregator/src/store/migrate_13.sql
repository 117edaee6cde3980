-- Version 12 → 13: context parameters are summed out of the records when these are closed. Of what is hot,
-- each value of a session is written down once.
CREATE TABLE hot_param_values (
    position UBIGINT NOT NULL,
    session BLOB NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    forgeable BOOLEAN NOT NULL
);
INSERT INTO hot_param_values
SELECT min(position), session, name, value, kind, forgeable FROM hot_param_parts GROUP BY ALL;
DROP TABLE hot_param_parts;
