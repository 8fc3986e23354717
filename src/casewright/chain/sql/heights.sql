-- The heights of some transactions.
-- reads: transactions, blocks   writes: nothing (`why` asks it)
SELECT t.txid, b.height
FROM transactions t
JOIN blocks b ON b.hash = t.block
WHERE t.txid IN (SELECT unnest($txids))
ORDER BY t.txid
