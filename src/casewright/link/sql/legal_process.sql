-- One row a request: what is asked of one service under one reference, and how much of it was answered.
-- reads: requests, returns, payments, service_book   writes: legal_process (state and days by the stage)
-- A line is answered by a record of its transaction that names its address, or none.
WITH answered AS (
    SELECT q.request, list(r.return_id ORDER BY r.return_id) AS returns
    FROM requests q
    JOIN returns r ON r.reference = q.reference AND r.txid = q.txid AND (r.address IS NULL OR r.address = q.address)
    GROUP BY q.request
),
about AS (
    SELECT q.request, count(DISTINCT p.payment) AS payments, list(DISTINCT p.account) AS accounts
    FROM requests q, unnest(q.payments) AS u(payment)
    JOIN payments p ON p.payment = u.payment
    GROUP BY q.request
)
SELECT q.reference, q.service, any_value(q.legal_name) AS legal_name, any_value(q.jurisdiction) AS jurisdiction,
       any_value(b.serve_on) AS serve_on, any_value(b.legal_basis) AS legal_basis, any_value(b.days) AS days,
       count(*) AS lines, count(a.request) AS returned, coalesce(sum(t.payments), 0)::BIGINT AS payments,
       len(list_distinct(flatten(list(coalesce(t.accounts, []))))) AS accounts, sum(q.sats)::BIGINT AS sats,
       min(q.time) AS first, max(q.time) AS last,
       list(q.request ORDER BY q.request) || list_sort(flatten(list(coalesce(a.returns, [])))) AS sources
FROM requests q
LEFT JOIN answered a USING (request)
LEFT JOIN about t USING (request)
LEFT JOIN service_book b ON lower(b.service) = lower(q.service)
GROUP BY q.reference, q.service
ORDER BY q.service
