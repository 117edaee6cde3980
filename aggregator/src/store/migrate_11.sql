-- Version 10 → 11: the families of a session's user agents, so that a filter need not look at requests.
ALTER TABLE session_sums ADD COLUMN ua_families VARCHAR[];
UPDATE session_sums SET ua_families = list_sort(list_distinct(list_transform(user_agents, lambda user_agent: CASE
    WHEN user_agent IS NULL THEN NULL
    WHEN regexp_matches(user_agent, '(?i)bot\b|crawl|spider|slurp') THEN 'bot'
    WHEN regexp_matches(user_agent, 'Edg(e|A|iOS)?/') THEN 'Edge'
    WHEN regexp_matches(user_agent, 'OPR/|Opera') THEN 'Opera'
    WHEN contains(user_agent, 'SamsungBrowser/') THEN 'Samsung Internet'
    WHEN regexp_matches(user_agent, 'HeadlessChrome/') THEN 'Headless Chrome'
    WHEN regexp_matches(user_agent, 'Firefox/|FxiOS/') THEN 'Firefox'
    WHEN regexp_matches(user_agent, 'Chrome/|CriOS/') THEN 'Chrome'
    WHEN contains(user_agent, 'Safari/') AND contains(user_agent, 'Version/') THEN 'Safari'
    WHEN starts_with(user_agent, 'Mozilla/') THEN 'other browser'
    ELSE left(split_part(split_part(user_agent, '/', 1), ' ', 1), 40) END)));
