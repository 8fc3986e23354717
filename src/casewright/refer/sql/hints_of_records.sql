-- What customer records say of the country: a row an account, country and verdict class.
-- reads: links, persons, judgements   writes: jurisdictions
-- A record that was judged not to be the account's routes nothing, and stays visible.
WITH named AS (
    SELECT l.from_id AS account, l.link, p.country AS said, coalesce(j.verdict, '') AS verdict, j.judgement, d.code
    FROM links l JOIN persons p ON p.person = l.to_id
    LEFT JOIN judgements j ON j.link = l.link AND j.stands
    LEFT JOIN codes d ON d.said = p.country
    WHERE l.kind = 'account-person'
)
SELECT account, coalesce(code, 'ZZ') AS country,
       'record' AS kind,
       CASE WHEN verdict = 'negative' OR code IS NULL THEN 'none' ELSE 'strong' END AS strength,
       verdict <> 'negative' AND code IS NOT NULL AS routes,
       count(DISTINCT link) AS count, NULL::BIGINT AS days, NULL::TIMESTAMP AS first, NULL::TIMESTAMP AS last,
       CASE WHEN verdict = 'negative' THEN 'a customer record that was judged not to be the account''s'
            WHEN code IS NULL AND said IS NULL THEN 'no record names a country'
            WHEN code IS NULL THEN 'a record names what is no country'
            WHEN verdict = 'positive' THEN 'the record of the person judged names it'
            ELSE 'a customer record that nobody judged yet names it: for routing only' END AS reason,
       CASE WHEN verdict = 'negative' OR code IS NULL THEN NULL
            WHEN verdict = 'positive' THEN 'people move; a record may be old' ELSE 'nobody judged yet whose record it is' END
           AS against,
       list_concat(list(DISTINCT link ORDER BY link),
                   coalesce(list(DISTINCT judgement ORDER BY judgement) FILTER (judgement IS NOT NULL), [])) AS sources
FROM named
GROUP BY ALL
