-- The proofs of some clusters as trees: of each address the next one up, how deep it stands, and by which merge.
-- reads: clusters   writes: nothing (the stage `guard` asks it)
SELECT cluster, holder, above, depth, reason
FROM clusters
WHERE list_contains($clusters, cluster)
ORDER BY cluster, holder
