-- Payments to the service: outputs whose address it gave to an account.
-- reads: deposit_addresses, outputs, transactions, blocks   writes: payments (ids are added by the stage)
-- An address that was recorded twice for one account counts once; one given to two accounts is a payment to each.
SELECT o.txid, o.vout, o.address, d.account, o.sats, b.height, b.time,
       list_concat([o.txid || ':' || o.vout], list(d.id ORDER BY d.id)) AS sources
FROM outputs o
JOIN deposit_addresses d ON d.address = o.address
JOIN transactions t ON t.txid = o.txid
JOIN blocks b ON b.hash = t.block
GROUP BY o.txid, o.vout, o.address, d.account, o.sats, b.height, b.time
ORDER BY b.height NULLS LAST, o.txid, o.vout, d.account
