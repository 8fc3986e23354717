-- The merges among some addresses of a cluster, with the height of their transactions.
-- reads: cluster_reasons, transactions, blocks   writes: nothing (`why` asks it)
SELECT r.*, b.height
FROM (
    SELECT * FROM cluster_reasons
    WHERE cluster = $cluster AND holder_a IN (SELECT unnest($holders)) AND holder_b IN (SELECT unnest($holders))
) r
LEFT JOIN transactions t ON t.txid = r.txid
LEFT JOIN blocks b ON b.hash = t.block
ORDER BY r.id
