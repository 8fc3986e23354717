-- Payments to the service: outputs whose address it gave to an account.
-- reads: given (deposit_addresses, written as outputs write them), coins (outputs to any of them, with height and time)
-- writes: payments
-- An address recorded twice for one account counts once and rests on both records; one given to two accounts is a
-- payment to each: the chain cannot say whose it was. The id is as `make_id("pay", txid, vout, account)` gives it: all
-- three are shorter than 128 bytes, so that each framed length is one byte behind seven zeros.
WITH known AS (
    SELECT address, account, list(id ORDER BY id) AS ids
    FROM given
    WHERE address IN (SELECT address FROM coins)
    GROUP BY address, account
)
SELECT 'pay-' || left(sha256(
           repeat(chr(0), 7) || chr(length(o.txid)::INTEGER) || o.txid ||
           repeat(chr(0), 7) || chr(length(o.vout::VARCHAR)::INTEGER) || o.vout ||
           repeat(chr(0), 7) || chr(length(k.account)::INTEGER) || k.account
       ), 20) AS payment,
       o.txid, o.vout, o.address, k.account, o.sats, o.height, o.time,
       list_concat([o.txid || ':' || o.vout], k.ids) AS sources
FROM coins o
JOIN known k ON k.address = o.address
ORDER BY o.height NULLS LAST, o.txid, o.vout, k.account
