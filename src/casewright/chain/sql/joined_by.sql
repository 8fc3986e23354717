-- The transactions of some links, with the height of their blocks.
-- reads: inputs, layer_links, transactions, blocks   writes: nothing (`why` asks it)
WITH links AS (
    SELECT DISTINCT 3 * transaction AS link, txid FROM inputs
    WHERE transaction IN (SELECT unnest($links) // 3)
    UNION
    SELECT DISTINCT 3 * link + 1, txid FROM layer_links WHERE heuristic = 'change' AND 3 * link + 1 IN (SELECT unnest($links))
)
SELECT l.link, l.txid, b.height
FROM links l
LEFT JOIN transactions t ON t.txid = l.txid
LEFT JOIN blocks b ON b.hash = t.block
WHERE l.link IN (SELECT unnest($links))
ORDER BY l.link
