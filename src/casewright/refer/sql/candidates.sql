-- Every account with what decides whether and how urgently it is referred.
-- reads: accounts, payments, uploads, links, worklist   writes: referrals (rules applied by the stage)
WITH paid AS (
    SELECT account, count(*) AS payments, list(payment ORDER BY payment) AS paid, max(time) AS last
    FROM payments GROUP BY account
),
put AS (
    SELECT l.from_id AS account, count(*) FILTER (w.state = 'new') AS new_media,
           count(*) FILTER (w.state IN ('known', 'near')) AS listed_media, list(l.link ORDER BY l.link) AS media_links
    FROM links l JOIN worklist w ON w.item = l.to_id
    WHERE l.kind = 'account-media' AND w.verdict IS DISTINCT FROM 'negative' GROUP BY l.from_id
),
moved AS (SELECT account, max(time) AS last FROM uploads WHERE account IS NOT NULL GROUP BY account)
SELECT a.account, coalesce(paid.payments, 0) AS payments, paid.paid, coalesce(put.new_media, 0) AS new_media,
       coalesce(put.listed_media, 0) AS listed_media, put.media_links, greatest(paid.last, moved.last) AS last
FROM accounts a
LEFT JOIN paid USING (account) LEFT JOIN put USING (account) LEFT JOIN moved USING (account)
ORDER BY a.account
