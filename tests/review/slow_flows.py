"""What flows around a wallet, as two statements over the whole chain: the definition; `flows.py` is held against it."""

AROUND = 12
MINE = """
mine AS (SELECT address FROM clusters WHERE cluster = $node UNION SELECT $node),
"""
OUTWARD = f"""
WITH {MINE}
spent AS (SELECT DISTINCT o.spent_by AS txid FROM outputs o JOIN mine USING (address) WHERE o.spent_by IS NOT NULL)
SELECT coalesce(c.cluster, o.address, 'unknown') AS node, o.txid, sum(o.sats)::BIGINT AS sats, count(*) AS outputs,
       bool_or(coalesce(g.votes, 0) > coalesce(g.against, 0)) AS change
FROM outputs o JOIN spent USING (txid)
LEFT JOIN clusters c ON c.address = o.address LEFT JOIN change g ON g.txid = o.txid AND g.vout = o.vout
WHERE o.address IS NULL OR o.address NOT IN (SELECT address FROM mine WHERE address IS NOT NULL)
GROUP BY node, o.txid ORDER BY change, sats DESC, o.txid, node LIMIT {AROUND}
"""
INWARD = f"""
WITH {MINE}
paid AS (SELECT o.txid, sum(o.sats)::BIGINT AS sats FROM outputs o JOIN mine USING (address) GROUP BY o.txid)
SELECT coalesce(c.cluster, p.address, 'unknown') AS node, i.txid, any_value(paid.sats) AS sats, count(*) AS outputs,
       false AS change
FROM paid JOIN inputs i USING (txid) LEFT JOIN outputs p ON p.txid = i.prev_txid AND p.vout = i.prev_vout
LEFT JOIN clusters c ON c.address = p.address
WHERE p.address IS NULL OR p.address NOT IN (SELECT address FROM mine WHERE address IS NOT NULL)
GROUP BY node, i.txid ORDER BY sats DESC, i.txid, node LIMIT {AROUND}
"""
