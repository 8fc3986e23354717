-- What to ask of each service: one line for each output that left it for a payment, or entered it from one.
-- reads: services, payments, outputs, tags, transactions, blocks, service_book
-- writes: requests (ids and references by the stage)
-- A line is asked once, however many payments it stands behind; sources name all of them. Where tags disagree on who
-- the service is, all of what they say stands there; what the unit's own book says goes before them. What the market's
-- own wallets paid is asked about as well, also where no payment leads there.
WITH about AS (
    SELECT label, string_agg(DISTINCT legal_name, ' or ' ORDER BY legal_name) AS legal_name,
           string_agg(DISTINCT jurisdiction, ' or ' ORDER BY jurisdiction) AS jurisdiction
    FROM tags GROUP BY label
)
SELECT s.service, coalesce(k.legal_name, a.legal_name) AS legal_name,
       coalesce(k.jurisdiction, a.jurisdiction) AS jurisdiction, min(s.payment) AS payment,
       coalesce(list(DISTINCT s.payment ORDER BY s.payment) FILTER (s.payment IS NOT NULL), []) AS payments,
       CASE WHEN bool_or(s.direction = 'back') THEN 'back' ELSE 'forward' END AS direction,
       coalesce(min(s.hops) FILTER (s.payment IS NOT NULL), min(s.hops)) AS hops,
       s.txid, s.vout, o.address, s.sats, min(b.time) AS time, list(DISTINCT s.id ORDER BY s.id) AS sources
FROM services s
LEFT JOIN outputs o ON o.txid = s.txid AND o.vout = s.vout
LEFT JOIN transactions t ON t.txid = s.txid
LEFT JOIN blocks b ON b.hash = t.block
LEFT JOIN about a ON a.label = s.service
LEFT JOIN service_book k ON lower(k.service) = lower(s.service)
WHERE s.confidence <> 'none'
GROUP BY s.service, k.legal_name, a.legal_name, k.jurisdiction, a.jurisdiction, s.txid, s.vout, o.address, s.sats
ORDER BY s.service, time, s.txid, s.vout
