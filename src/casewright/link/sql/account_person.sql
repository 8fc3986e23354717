-- Accounts and the customers whom a service names for the withdrawal behind a payment.
-- reads: payments, services, requests, returns, persons, outputs   writes: links
-- A return answers a request when its reference and transaction are those that were asked, and so is the address that it
-- says was paid (one withdrawal pays several customers at once). A person is found by the rows their record rests on,
-- never by a number that may be missing.
WITH named AS (SELECT person, reference, unnest(sources) AS return_id FROM persons WHERE origin = 'return'),
doubtful AS (
    SELECT n.person FROM named n JOIN returns r USING (return_id) GROUP BY n.person
    HAVING count(DISTINCT lower(r.full_name)) > 1 OR count(DISTINCT coalesce(r.born_on, r.born)) > 1
),
answered AS (
    SELECT p.account, n.person, n.reference, p.payment, s.id, s.hops, s.against, q.request, r.return_id, q.service,
           r.address IS NULL AS no_address
    FROM payments p
    JOIN services s ON s.payment = p.payment AND s.direction = 'back' AND s.confidence <> 'none'
    JOIN requests q ON q.service = s.service AND q.txid = s.txid
    JOIN outputs o ON o.txid = s.txid AND o.vout = s.vout AND o.address = q.address
    JOIN returns r ON r.reference = q.reference AND r.txid = q.txid AND (r.address IS NULL OR r.address = q.address)
    JOIN named n ON n.return_id = r.return_id
)
SELECT 'account-person' AS kind, a.account AS from_id, a.person AS to_id,
       concat_ws('; ',
           CASE WHEN count(DISTINCT a.payment) FILTER (a.hops = 1) > 0
                THEN 'direct: ' || any_value(a.service) || ' itself made '
                     || count(DISTINCT a.payment) FILTER (a.hops = 1) || ' payment(s)' END,
           CASE WHEN count(DISTINCT a.payment) FILTER (a.hops > 1) > 0
                THEN 'through ' || (min(a.hops) FILTER (a.hops > 1) - 1) || ' or more wallet steps: '
                     || any_value(a.service) || ' lies behind ' || count(DISTINCT a.payment) FILTER (a.hops > 1)
                     || ' payment(s)' END)
       || '; it names customer ' || a.reference AS reason,
       nullif(concat_ws('; ',
           array_to_string(list_sort(list_distinct(flatten(list(string_split(a.against, '; '))))), '; '),
           CASE WHEN a.person IN (SELECT person FROM doubtful)
                THEN 'the rows of this customer disagree on name or date of birth' END,
           CASE WHEN bool_or(a.no_address) THEN 'a row does not say which address was paid' END), '') AS against,
       list_concat(list(DISTINCT a.payment ORDER BY a.payment), list(DISTINCT a.id ORDER BY a.id),
                   list(DISTINCT a.request ORDER BY a.request), list(DISTINCT a.return_id ORDER BY a.return_id)) AS sources
FROM answered a
GROUP BY a.account, a.person, a.reference
