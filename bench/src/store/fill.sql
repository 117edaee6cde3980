-- Records {first} to {last} (the end not included) of a store of {records}: seven days that end at
-- {end_us}, sessions of 50 requests about 30 s apart, {width} of them at a time, ten context
-- parameters each. Nothing here is random: a number is a hash of the record's or the session's.
INSERT INTO hot_records BY NAME
SELECT
    {position} + (i - {first}) // 1000 AS position,
    4242 AS boot, 0 AS worker, i // 1000 AS sequence, (i % 1000)::UINTEGER AS idx,
    make_timestamp(at_us) AS start,
    unhex(md5('session ' || s)) AS session, session AS request_session,
    make_timestamp(visit_us) AS visit_start,
    CASE WHEN s % 10 < 7 THEN 'shop' ELSE 'bank' END AS application,
    CASE WHEN s % 5 = 0 THEN 'ip_user_agent' ELSE 'cookie' END AS key,
    CASE WHEN s % 4 = 0 THEN 'sidecar' ELSE 'gateway' END AS capture_point,
    'p' || (s * 3 // ({records} // 50 + 1)) AS policy_version, 'envoy-' || s % 3 AS node,
    md5('request ' || i) AS request_id, md5('trace ' || i) AS trace_id,
    CASE WHEN e % 4 = 3 THEN 'POST' ELSE 'GET' END AS method, 'https' AS scheme,
    application || '.example' AS host,
    '/api/things' || e || CASE WHEN e % 3 = 0 THEN '' ELSE '/' || h % 5000 END AS path,
    CASE WHEN e % 2 = 0 THEN ['page', 'sort'] ELSE [] END AS query_names,
    [] AS query_values, CASE WHEN e % 2 = 0 THEN h END AS query_hash, 'HTTP/2' AS protocol,
    CASE WHEN d < 900 THEN 200 WHEN d < 920 THEN 304 WHEN d < 950 THEN 401 WHEN d < 990 THEN 404
        ELSE 503 END::USMALLINT AS status,
    CASE WHEN d >= 990 THEN 'UF' ELSE '' END AS flags,
    CASE WHEN method = 'POST' THEN 200 + h % 900 ELSE 0 END AS request_bytes,
    300 + h % 20000 AS response_bytes,
    (800 * pow(10, d % 100 / 40.0 + e / 60.0))::UBIGINT AS duration_us,
    duration_us - 300 AS upstream_us,
    '10.' || s % 200 || '.' || s // 200 % 250 || '.' || s // 50000 % 250 AS client_ip,
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/' || 100 + s % 40
        || '.0.0.0 Safari/537.36' AS user_agent,
    CASE WHEN s % 3 = 0 THEN 'search.example' END AS referer_host,
    CASE WHEN e % 5 = 0 THEN 'text/html' ELSE 'application/json' END AS content_type,
    [] AS truncated, [] AS links,
    to_json([['user', 'user' || s // 3, 'user'],
     ['role', 'role' || s % 4, 'role'],
     ['plan', 'plan' || s % 5],
     ['tenant', 'tenant' || s % 1000],
     ['region', 'region' || s % 12],
     ['device', 'device' || s % 7],
     ['locale', 'locale' || s % 30],
     ['release', 'release' || s % 20],
     ['trial', 'trial' || s % 9],
     ['campaign', 'campaign' || s % 40]])::VARCHAR AS params,
    [] AS extract_failed, hash(s % 40) AS header_shape, 3 AS header_marks,
    method || ' /api/things' || e || CASE WHEN e % 3 = 0 THEN '' ELSE '/{id}' END AS endpoint
FROM (
    SELECT i, i // (50 * {width}) * {width} + i % {width} AS s,
        {end_us} - 604800000000 + (i::HUGEINT * 604800000000 // {records})::BIGINT AS at_us,
        at_us - (i // {width} % 50) * {width} * 604800000000 // {records} AS visit_us,
        hash(i) >> 1 AS h, h % 1000 AS d,
        -- A few endpoints have most of the requests.
        floor(60 * pow(hash(i, 1) % 1000000 / 1000000.0, 2))::BIGINT AS e
    FROM (SELECT unnest(range({first}, {last})) AS i));

INSERT INTO hot_visit_parts BY NAME
SELECT {position_end} AS position, session, visit_start, any_value(application) AS application,
    any_value(key) AS key, min(start) AS first, max(start) AS last, count(*) AS requests,
    count(*) FILTER (status BETWEEN 400 AND 499) AS errors_4xx,
    count(*) FILTER (status >= 500) AS errors_5xx, sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes, sum(duration_us) AS duration_us,
    list(DISTINCT client_ip) AS ips, list(DISTINCT user_agent) AS user_agents, false AS more,
    max(sequence * 1000 + idx) AS ordinal, max(start) AS arrived,
    list(DISTINCT policy_version) AS policy_versions
FROM hot_records WHERE position >= {position} GROUP BY session, visit_start;

-- One session in twenty was logged into from the one before.
INSERT INTO hot_link_parts BY NAME
SELECT {position_end} AS position, session AS session_a,
    unhex(md5('session before ' || lower(hex(session)))) AS session_b, 'login' AS kind,
    'cookie' AS key_a, 'ip_user_agent' AS key_b, min(start) AS first, min(start) AS last,
    1 AS requests
FROM hot_records WHERE position >= {position} AND right(hex(session), 2) < '0D' GROUP BY session;

-- One in a hundred is held for a bot, which was said three times.
INSERT INTO verdicts BY NAME
SELECT {position_end} AS position, said::UINTEGER AS idx, md5(lower(hex(session)))[:16] AS id,
    'session' AS subject_kind, lower(hex(session)) AS subject, subject AS session, application,
    'type' || ascii(subject[3]) % 4 AS bot_type, 0.5 + ascii(subject[4]) % 40 / 100.0 + said / 50.0
        AS confidence, 'medium' AS sensitivity, true AS flagged, 'ready' AS knowledge,
    'automated' AS class, first + INTERVAL (said) MINUTE AS said_at,
    first + INTERVAL 1 DAY AS expires, 20 AS requests, 'p0' AS policy_version,
    '[{"detector":"request_rate","score":0.8,"evidence":"' || repeat('x', 400) || '"}]' AS votes
FROM (
    SELECT session, any_value(application) AS application, min(start) AS first FROM hot_records
    WHERE position >= {position} AND right(hex(session), 2) < '03' GROUP BY session),
    range(3) said(said);

UPDATE log_position SET position = {position_end}, ordinal = {last};
UPDATE verdict_position SET position = {position_end};
