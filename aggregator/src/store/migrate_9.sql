-- Version 8 → 9: records that were left out of a segment, because only a share of their path's are kept.
ALTER TABLE segments ADD COLUMN sampled_out UBIGINT DEFAULT 0;
