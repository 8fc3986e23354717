-- To which countries each account goes, by which kinds of hints, and what points elsewhere.
-- reads: jurisdictions   writes: referrals
-- For ZZ the weak hints stand there: nothing else says anything.
WITH weak AS (
    SELECT account, string_agg(DISTINCT country || ' by ' || kind, ', ' ORDER BY country || ' by ' || kind) AS words
    FROM jurisdictions WHERE strength = 'weak' GROUP BY account
)
SELECT r.account, r.country, list(DISTINCT r.kind ORDER BY r.kind) AS kinds,
       list(r.id ORDER BY r.id) AS ids, max(r.days) AS days,
       CASE WHEN r.country = 'ZZ' THEN 'weak hints: ' || any_value(w.words)
            ELSE string_agg(DISTINCT r.against, '; ' ORDER BY r.against) END AS against
FROM jurisdictions r LEFT JOIN weak w USING (account)
WHERE r.routes GROUP BY r.account, r.country ORDER BY r.account, r.country
