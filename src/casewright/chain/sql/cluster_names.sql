-- Name of each cluster: the id of its least address, as `make_id("cluster", address)` gives it.
-- reads: members (root, address)   writes: nothing (the stage `clusters` asks it)
-- An address is shorter than 128 bytes, so that its framed length is one byte behind seven zeros.
WITH least AS (SELECT root, min(address) AS address FROM members GROUP BY root)
SELECT root, 'cluster-' || left(sha256(repeat(chr(0), 7) || chr(length(address)::INTEGER) || address), 20) AS cluster
FROM least
ORDER BY root
