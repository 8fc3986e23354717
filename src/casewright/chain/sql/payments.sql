-- Payments to the service: outputs whose address it gave to an account.
-- reads: given (deposit_addresses, written as outputs write them), outputs, transactions, blocks
-- writes: payments (the stage adds their ids)
-- An address recorded twice for one account counts once and rests on both records; one given to two accounts is a
-- payment to each: the chain cannot say whose it was.
SELECT o.txid, o.vout, o.address, g.account, o.sats, b.height, b.time,
       list_concat([o.txid || ':' || o.vout], list(g.id ORDER BY g.id)) AS sources
FROM outputs o
JOIN given g ON g.address = o.address
JOIN transactions t ON t.txid = o.txid
JOIN blocks b ON b.hash = t.block
GROUP BY o.txid, o.vout, o.address, g.account, o.sats, b.height, b.time
ORDER BY b.height NULLS LAST, o.txid, o.vout, g.account
