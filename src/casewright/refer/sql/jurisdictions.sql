-- All hints, each with the ones that point elsewhere, and for accounts that none routes a row that says so.
-- reads: hints (made by the stage), accounts   writes: jurisdictions
-- A record that names no country routes to ZZ where no address routes: its person must not be lost.
WITH pointing AS (
    SELECT account, country, kind, max(strength) AS strength FROM hints
    WHERE strength <> 'none' AND country <> 'ZZ' GROUP BY account, country, kind
),
elsewhere AS (
    SELECT h.id, string_agg(p.country || ' by ' || p.kind || ' (' || p.strength || ')', ', '
                            ORDER BY p.country, p.kind) AS words
    FROM hints h JOIN pointing p ON p.account = h.account AND p.country <> h.country
    WHERE h.country <> 'ZZ' GROUP BY h.id
),
routed AS (SELECT DISTINCT account FROM hints WHERE routes),
unnamed AS (SELECT DISTINCT account FROM hints WHERE country = 'ZZ' AND kind = 'record' AND reason NOT LIKE '%judged not%'),
told AS (
    SELECT account, string_agg(DISTINCT CASE WHEN strength = 'none' THEN reason
                                 ELSE country || ' by ' || kind || ' alone (' || strength || ')' END, ', ') AS words,
           list(id ORDER BY id) AS ids
    FROM (SELECT * FROM hints ORDER BY account, strength = 'none', country, kind, id) GROUP BY account
)
SELECT h.id, h.account, h.country, h.kind, h.strength, h.routes, h.count, h.days, h.first, h.last, h.reason,
       nullif(concat_ws('; ', h.against, 'elsewhere: ' || e.words), '') AS against, h.sources
FROM hints h LEFT JOIN elsewhere e USING (id)
UNION ALL
SELECT 'where/' || a.account, a.account, 'ZZ', 'none', 'none', true, NULL, NULL, NULL, NULL,
       coalesce(t.words, 'no record names a country'), NULL, list_concat([a.account], coalesce(t.ids, []))
FROM accounts a LEFT JOIN told t USING (account)
WHERE a.account NOT IN (SELECT account FROM routed)
ORDER BY 2, 3, 4, 1
