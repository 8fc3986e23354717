-- What joins the addresses of one cluster: of each link (a transaction that spends, CoinJoins left out; a link of another
-- layer) the addresses that belong to it, by their places among the cluster's addresses. Links of all layers by one number.
-- reads: clusters, cluster_reasons, outputs, coinjoins, layer_links   writes: nothing (`why` asks it)
-- A cluster that no co-spending joined has no such link with two of its addresses: then the layer may be switched off.
WITH members AS (
    SELECT holder, row_number() OVER (ORDER BY holder) - 1 AS place FROM clusters WHERE cluster = $cluster
)
SELECT m.place, 3 * o.spender AS link
FROM outputs o
JOIN members m ON m.holder = o.holder
WHERE o.spender IS NOT NULL
  AND o.spender NOT IN (SELECT transaction FROM coinjoins)
  AND EXISTS (SELECT 1 FROM cluster_reasons WHERE cluster = $cluster AND heuristic = 'co-spend')
UNION ALL
SELECT m.place, 3 * l.link + CASE l.heuristic WHEN 'change' THEN 1 ELSE 2 END
FROM layer_links l
JOIN members m ON m.holder = l.holder
ORDER BY link, place  -- without an order, LIMIT over UNION ALL waits for ever in DuckDB 2.0.0
LIMIT $most
