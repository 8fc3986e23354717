-- Accounts and the customers whom a service names for the withdrawal behind a payment.
-- reads: payments, services, requests, returns, persons, outputs   writes: links
-- A return answers a request when its reference and transaction are those that were asked, and so is the address that it
-- says was paid (one withdrawal pays several customers at once).
SELECT 'account-person' AS kind, p.account AS from_id, person.person AS to_id,
       CASE WHEN min(s.hops) = 1 THEN 'direct: ' ELSE 'through ' || (min(s.hops) - 1) || ' wallet steps: ' END
       || r.service || ' names customer ' || coalesce(r.customer, '(no number)') || ' for '
       || count(DISTINCT p.payment) || ' payment(s)' AS reason,
       string_agg(DISTINCT s.against, '; ' ORDER BY s.against) AS against,
       list_concat(list(DISTINCT p.payment ORDER BY p.payment), list(DISTINCT s.id ORDER BY s.id),
                   list(DISTINCT q.request ORDER BY q.request), list(DISTINCT r.return_id ORDER BY r.return_id)) AS sources
FROM payments p
JOIN services s ON s.payment = p.payment AND s.direction = 'back' AND s.confidence <> 'none'
JOIN requests q ON q.service = s.service AND q.txid = s.txid
JOIN outputs o ON o.txid = s.txid AND o.vout = s.vout AND o.address = q.address
JOIN returns r ON r.reference = q.reference AND r.txid = q.txid AND (r.address IS NULL OR r.address = q.address)
JOIN persons person ON person.origin = 'return' AND person.reference = r.service || '/' || coalesce(r.customer, '')
GROUP BY p.account, person.person, r.service, r.customer
