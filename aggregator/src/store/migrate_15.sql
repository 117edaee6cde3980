-- Version 14 → 15: parts of visits stay for a while after their segment was closed.
CREATE TABLE parts_since (position UBIGINT NOT NULL);
INSERT INTO parts_since SELECT coalesce(max(end_position), 0) FROM segments;
