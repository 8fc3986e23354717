-- The merges among some addresses of a cluster, with the height of their transactions.
-- reads: cluster_reasons, transactions, blocks   writes: nothing (`why` asks it)
SELECT r.*, b.height
FROM (
    SELECT * FROM cluster_reasons
    WHERE cluster = $cluster AND list_contains($holders, holder_a) AND list_contains($holders, holder_b)
) r
LEFT JOIN transactions t ON t.txid = r.txid
LEFT JOIN blocks b ON b.hash = t.block
ORDER BY r.id
