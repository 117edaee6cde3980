-- Version 11 → 12: closed segments say more. `shapes` also say what was captured where, `endpoint_sums` are new; those of
-- before are read as they are, and of their values nothing is told.
ALTER TABLE segments ADD COLUMN told VARCHAR DEFAULT '{}';
