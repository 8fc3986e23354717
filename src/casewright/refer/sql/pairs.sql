-- For each account and customer that a service names for its payments: what the rungs of the ladder rest on.
-- reads: links, persons, returns, payments, judgements   writes: ladder
WITH pairs AS (SELECT * FROM links WHERE kind = 'account-person'),
paid AS (
    SELECT l.link, l.from_id AS account, l.to_id AS person, p.payment
    FROM (SELECT link, from_id, to_id, unnest(sources) AS source FROM pairs) l JOIN payments p ON p.payment = l.source
),
sums AS (SELECT link, count(*) AS payments, list(payment ORDER BY payment) AS paid FROM paid GROUP BY link),
rivals AS (
    SELECT a.link, count(DISTINCT b.person) AS rivals, list(DISTINCT b.link ORDER BY b.link) AS links
    FROM paid a JOIN paid b ON a.account = b.account AND a.payment = b.payment AND a.person <> b.person GROUP BY a.link
),
papers AS (
    SELECT p.person, string_agg(DISTINCT r.document, '; ' ORDER BY r.document) AS documents,
           list(DISTINCT r.return_id ORDER BY r.return_id) AS returns
    FROM (SELECT person, unnest(sources) AS return_id FROM persons) p JOIN returns r USING (return_id)
    WHERE r.document IS NOT NULL GROUP BY p.person
)
SELECT l.link, l.from_id AS account, l.to_id AS person, l.reason, l.against, coalesce(s.payments, 0) AS payments,
       coalesce(s.paid, []) AS paid, coalesce(v.rivals, 0) AS rivals, coalesce(v.links, []) AS rival_links,
       d.documents, coalesce(d.returns, []) AS document_rows,
       count(*) OVER (PARTITION BY l.to_id) - 1 AS other_accounts,
       j.judgement, j.verdict, j.examiner, j.why
FROM pairs l
LEFT JOIN sums s USING (link) LEFT JOIN rivals v USING (link) LEFT JOIN papers d ON d.person = l.to_id
LEFT JOIN judgements j ON j.link = l.link AND j.stands
ORDER BY l.from_id, l.link
