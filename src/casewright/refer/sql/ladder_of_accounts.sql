-- The first rung of every account that paid, and what speaks against its payments whoever it is.
-- reads: accounts, payments, services   writes: ladder
WITH reached AS (SELECT DISTINCT payment FROM services WHERE direction = 'back' AND confidence <> 'none'),
sums AS (
    SELECT p.account, count(*) AS payments, count(r.payment) AS reached, list(p.payment ORDER BY p.payment) AS paid,
           list(p.payment ORDER BY p.payment) FILTER (p.time < a.registered_at) AS early
    FROM payments p JOIN accounts a USING (account) LEFT JOIN reached r USING (payment) GROUP BY p.account
)
SELECT 'ladder/' || account || '//1' AS id, account, NULL::VARCHAR AS person, 1::BIGINT AS step, 'payment' AS rung,
       true AS holds,
       payments || ' payment(s) to its addresses, ' || reached || ' of them traced to a service' AS reason,
       'anybody can pay any address: a payment names nobody' AS against, paid AS sources
FROM sums
UNION ALL
SELECT 'ladder/' || account || '//6/early', account, NULL, 6, 'speaks against', true, NULL,
       len(early) || ' payment(s) came before the account was registered', list_concat([account], early)
FROM sums WHERE len(early) > 0
ORDER BY 1
