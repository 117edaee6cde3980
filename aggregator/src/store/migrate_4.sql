-- Version 3 → 4: which versions of the policy a visit's records were made with.
ALTER TABLE visit_parts ADD COLUMN policy_versions VARCHAR[];
