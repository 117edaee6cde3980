-- The last word of detection about each subject, with the last label of people.
CREATE OR REPLACE VIEW current_verdicts AS
SELECT last.*, label.label, label.note, label.author, label.labelled
FROM (
    SELECT *, min(said_at) OVER subject AS first_at, count(*) OVER subject AS times
    FROM verdicts
    WINDOW subject AS (PARTITION BY id)
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY position DESC, idx DESC) = 1
) AS last
LEFT JOIN (
    SELECT id,
        arg_max(label, position) AS label,
        arg_max(note, position) AS note,
        arg_max(author, position) AS author,
        arg_max(said_at, position) AS labelled
    FROM labels GROUP BY id
    HAVING arg_max(coalesce(label, ''), position) <> ''
) AS label USING (id);
