-- Id of each merge, as `make_id("reason", address_a, address_b, txid)` gives it; without a transaction, of "".
-- reads: merges (place, address_a, address_b, txid)   writes: nothing (the stage `clusters` asks it)
-- All three are shorter than 128 bytes, so that each framed length is one byte behind seven zeros.
SELECT 'reason-' || left(sha256(
    repeat(chr(0), 7) || chr(length(address_a)::INTEGER) || address_a ||
    repeat(chr(0), 7) || chr(length(address_b)::INTEGER) || address_b ||
    repeat(chr(0), 7) || chr(length(coalesce(txid, ''))::INTEGER) || coalesce(txid, '')
), 20) AS id
FROM merges
ORDER BY place
