-- The merges among some addresses of a cluster.
-- reads: cluster_reasons   writes: nothing (`why` asks it)
SELECT id, txid, heuristic, address_a, address_b, holder_a, holder_b, alone, doubt FROM cluster_reasons
WHERE holder_a IN (SELECT unnest($holders)) AND holder_b IN (SELECT unnest($holders))
ORDER BY holder_a, holder_b
