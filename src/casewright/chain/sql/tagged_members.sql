-- Tags of addresses that are in a cluster, with the address's place in it; not those that hold for their address only.
-- reads: tags, clusters   writes: nothing (the stage `guard` asks it)
SELECT t.tag, t.address, t.label, t.actor, t.category, t.level, c.cluster, c.holder
FROM tags t
JOIN clusters c ON c.address = t.address
WHERE t.defines_cluster IS DISTINCT FROM false
ORDER BY c.cluster, c.holder, t.tag
