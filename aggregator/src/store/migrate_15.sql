-- Version 14 → 15: parts of visits stay for a while after their segment was closed, and segments are merged.
-- Files of both versions are the same.
CREATE TABLE parts_since (position UBIGINT NOT NULL);
INSERT INTO parts_since SELECT coalesce(max(end_position), 0) FROM segments;
ALTER TABLE segments ADD COLUMN parts VARCHAR DEFAULT '[]';
UPDATE segments SET version = 15 WHERE version = 14;
