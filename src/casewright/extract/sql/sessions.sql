-- Sessions: sign-ins with their ends, and runs of requests joined over the borders of files.
-- reads: log_events, logins   writes: sessions
-- A line that several logs hold counts once. What a session is called (a process, a port) is used again later, so it
-- ends by the next line that has its name, and only if that is an end.
WITH events AS (
    SELECT * FROM log_events
    QUALIFY alike IS NULL OR row_number() OVER (PARTITION BY alike, nth ORDER BY item) = 1
),
acts AS (SELECT * FROM events WHERE what IN ('login', 'logout')),
named AS (
    SELECT event, lead(event) OVER later AS next, lead(what) OVER later AS what_next
    FROM acts WHERE session IS NOT NULL
    WINDOW later AS (PARTITION BY name_is, session ORDER BY time, row, event)
),
connected AS (
    SELECT event, lead(event) OVER later AS next, lead(what) OVER later AS what_next
    FROM acts WHERE port IS NOT NULL
    WINDOW later AS (PARTITION BY name_is, ip, port ORDER BY time, row, event)
),
ends AS (
    SELECT f.event, e.event AS last, e.time, e.how, e.zone
    FROM (SELECT * FROM named UNION ALL SELECT * FROM connected) f JOIN acts e ON e.event = f.next
    WHERE f.what_next = 'logout'
    QUALIFY row_number() OVER (PARTITION BY f.event ORDER BY e.time, e.row, e.event) = 1
),
logged AS (
    SELECT s.event AS first, s.account, s.name, s.name_is, s.time AS started_at, e.time AS ended_at, e.how AS ended_by,
           s.zone, e.zone AS zone_of_end, s.ip, s.port, s.agent,
           CASE WHEN e.last IS NULL THEN [s.event] ELSE [s.event, e.last] END AS sources
    FROM acts s LEFT JOIN ends e USING (event)
    WHERE s.what = 'login' AND s.session IS NOT NULL
),
runs AS (
    SELECT *, time > max(until) OVER before + to_minutes($gap) AS begins
    FROM events WHERE what = 'requests'
    WINDOW before AS (PARTITION BY name_is, name, ip, agent ORDER BY time, event
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
    SELECT *, count(*) FILTER (begins) OVER (PARTITION BY name_is, name, ip, agent ORDER BY time, event) AS number
    FROM runs
),
visits AS (
    SELECT min_by(event, (time, event)) AS first, any_value(account) AS account, name, name_is,
           min(time) AS started_at, max(until) AS ended_at, split_part(min_by(zone, (time, event)), '; its end: ', 1) AS zone,
           split_part(max_by(zone, (until, event)), '; its end: ', -1) AS zone_of_end, ip, agent,
           list(event ORDER BY time, event) AS sources
    FROM numbered GROUP BY name_is, name, ip, agent, number
),
all_of_them AS (
    SELECT 'logged' AS basis, * FROM logged
    UNION ALL BY NAME
    SELECT 'requests' AS basis, *, 'no further request' AS ended_by FROM visits
    UNION ALL BY NAME
    SELECT 'logged' AS basis, login AS first, account, time AS started_at, ended_at, 'the database''s record' AS ended_by,
           zone, zone AS zone_of_end, ip, agent, [login] AS sources
    FROM logins WHERE kind = 'database' AND ended_at IS NOT NULL
)
SELECT 'session-' || left(sha256(first), 20) AS session, basis, account,
       CASE WHEN name_is = 'system' THEN name END AS system_user, started_at, ended_at, ended_by,
       CASE WHEN zone_of_end IS NULL OR zone_of_end = zone THEN zone ELSE zone || '; its end: ' || zone_of_end END AS zone,
       ip, port, agent, sources
FROM all_of_them
ORDER BY started_at, session
