-- The proof of one cluster as a tree: of each address the next one up, and how deep it stands.
-- reads: clusters   writes: nothing (`why` asks it)
SELECT holder, above, depth, address FROM clusters WHERE cluster = $cluster ORDER BY holder
