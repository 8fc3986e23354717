-- Which countries an account's addresses were assigned to, and how many locate nobody.
-- reads: sightings, places, hidden (made by the stage)   writes: jurisdictions
-- A list's row hides an address while it holds; a sighting without a time is hidden whenever one does.
WITH listed AS (
    SELECT s.id, s.account, min(h.kind) AS kind, list(DISTINCT h.net ORDER BY h.net) AS nets
    FROM sightings s JOIN hidden h USING (ip)
    WHERE (s.time IS NULL OR ((h.since IS NULL OR s.time >= h.since) AND (h.until IS NULL OR s.time <= h.until)))
    GROUP BY s.id, s.account
),
seen AS (
    SELECT s.account, s.id, s.time, s.what, coalesce(l.kind, p.hides) AS hides, coalesce(l.nets, []) AS nets,
           CASE WHEN l.kind IS NULL THEN p.country END AS country
    FROM sightings s JOIN places p USING (ip) LEFT JOIN listed l ON l.id = s.id AND l.account = s.account
),
of_all AS (SELECT account, count(DISTINCT CAST(time AS DATE)) AS days FROM seen WHERE country IS NOT NULL GROUP BY account),
located AS (
    SELECT account, country, count(*) AS count, count(DISTINCT CAST(time AS DATE)) AS days, min(time) AS first,
           max(time) AS last, string_agg(DISTINCT what, ', ' ORDER BY what) AS whats, list(id ORDER BY time, id) AS sources
    FROM seen WHERE country IS NOT NULL GROUP BY account, country
),
kinds AS (
    SELECT account, hides, count(*) AS count, min(time) AS first, max(time) AS last, list(id ORDER BY time, id) AS ids,
           flatten(list(nets)) AS nets
    FROM seen WHERE hides IS NOT NULL GROUP BY account, hides
)
SELECT account, country, 'address' AS kind,
       CASE WHEN o.days > 0 AND l.days >= $days AND l.days >= $share * o.days THEN 'medium' ELSE 'weak' END AS strength,
       l.days >= $days AND l.days >= $share * o.days AS routes,
       l.count, l.days, l.first, l.last,
       l.count || ' records (' || l.whats || ') on ' || l.days || ' of ' || o.days || ' days'
       || coalesce(', ' || CAST(CAST(l.first AS DATE) AS VARCHAR) || ' to ' || CAST(CAST(l.last AS DATE) AS VARCHAR), '')
       || ', at addresses that are assigned to this country' AS reason,
       'an address says to whom a range is assigned now, not who was where' AS against, l.sources
FROM located l JOIN of_all o USING (account)
UNION ALL
SELECT account, 'ZZ', 'address', 'none', false, sum(count)::BIGINT, NULL, min(first), max(last),
       sum(count) || ' records at addresses that locate nobody: '
       || string_agg(hides || ' (' || count || ')', ', ' ORDER BY hides), NULL,
       list_concat(flatten(list(ids ORDER BY hides)), list_distinct(flatten(list(nets))))
FROM kinds GROUP BY account
