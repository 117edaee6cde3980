-- Version 6 → 7: which record a trial belongs to, and what else the candidate makes of it.
ALTER TABLE trials ADD COLUMN idx UINTEGER;
ALTER TABLE trials ADD COLUMN trial_request_session BLOB;
ALTER TABLE trials ADD COLUMN trial_links STRUCT(kind VARCHAR, session BLOB, key VARCHAR)[];
