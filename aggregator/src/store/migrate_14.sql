-- Version 13 → 14: lists in records of closed segments are texts; those of before are read as they are. Rows of
-- `session_sums` were found by `rowid`, which checkpoints change, so that some may be wrong: where there are none, the
-- start makes them anew.
DROP VIEW IF EXISTS summed;
DELETE FROM session_sums;
