-- Every account with what decides whether and how urgently it is referred.
-- reads: accounts, payments, uploads, downloads, links, worklist   writes: referrals (rules applied by the stage)
WITH paid AS (
    SELECT account, count(*) AS payments, sum(sats)::BIGINT AS satoshis, list(payment ORDER BY payment) AS paid,
           min(time) AS first, max(time) AS last
    FROM payments GROUP BY account
),
put AS (
    SELECT l.from_id AS account, count(*) FILTER (w.state = 'new') AS new_media,
           count(*) FILTER (w.state IN ('known', 'near')) AS listed_media, list(l.link ORDER BY l.link) AS media_links
    FROM links l JOIN worklist w ON w.item = l.to_id
    WHERE l.kind = 'account-media' AND w.verdict IS DISTINCT FROM 'negative' GROUP BY l.from_id
),
up AS (SELECT account, count(*) AS uploads, min(time) AS first, max(time) AS last FROM uploads GROUP BY account),
down AS (SELECT account, count(*) AS downloads, min(time) AS first, max(time) AS last FROM downloads GROUP BY account),
every AS (
    SELECT a.account, a.username, a.native, coalesce(payments, 0) AS payments, coalesce(satoshis, 0) AS satoshis, paid,
           coalesce(new_media, 0) AS new_media, coalesce(listed_media, 0) AS listed_media, media_links,
           coalesce(uploads, 0) AS uploads, coalesce(downloads, 0) AS downloads,
           least(paid.first, up.first, down.first) AS first, greatest(paid.last, up.last, down.last) AS last
    FROM accounts a LEFT JOIN paid USING (account) LEFT JOIN put USING (account) LEFT JOIN up USING (account)
    LEFT JOIN down USING (account)
)
SELECT *, coalesce(last >= max(last) OVER () - to_days($recent), false) AS recent FROM every ORDER BY account
