-- The transactions of some links.
-- reads: inputs, layer_links   writes: nothing (`why` asks it)
SELECT DISTINCT 3 * transaction AS link, txid FROM inputs
WHERE transaction IN (SELECT unnest($links) // 3) AND 3 * transaction IN (SELECT unnest($links))
UNION ALL
SELECT DISTINCT 3 * link + 1, txid FROM layer_links
WHERE heuristic = 'change' AND 3 * link + 1 IN (SELECT unnest($links))
ORDER BY link
