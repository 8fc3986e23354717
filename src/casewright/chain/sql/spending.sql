-- Shape of every transaction that spends, in the order of the chain: what went in, from whom, and what came out.
-- reads: blocks, transactions, inputs, outputs   writes: nothing (clusters and trace ask it)
-- sats and address of an input are NULL where the output that it spends is not in the chain files.
WITH spent AS (
    SELECT i.txid, list(o.address ORDER BY i.vin) AS spenders, list(o.sats ORDER BY i.vin) AS spent
    FROM inputs i
    LEFT JOIN outputs o ON o.txid = i.prev_txid AND o.vout = i.prev_vout
    GROUP BY i.txid
),
paid AS (
    SELECT txid, list(sats ORDER BY vout) AS sats, list(address ORDER BY vout) AS addresses,
           list(kind ORDER BY vout) AS kinds
    FROM outputs
    GROUP BY txid
)
SELECT t.txid, spent.spenders, spent.spent, coalesce(paid.sats, []) AS sats,
       coalesce(paid.addresses, []) AS addresses, coalesce(paid.kinds, []) AS kinds
FROM spent
JOIN transactions t ON t.txid = spent.txid
JOIN blocks b ON b.hash = t.block
LEFT JOIN paid ON paid.txid = t.txid
ORDER BY b.height NULLS LAST, b.time, b.hash, t.position, t.txid
