-- The service's ledger, for `reconciled`: only what is a transaction id or an address counts as one.
-- reads: credits   writes: nothing (reconciled asks it)
-- bech32 addresses may stand in capitals and mean the same; outputs write them small.
SELECT credit, account, time, sats, note,
       CASE WHEN regexp_full_match(txid, '[0-9a-f]{64}') THEN txid END AS txid,
       CASE WHEN regexp_full_match(address, '(?i)(bc|tb|bcrt)1.*') THEN lower(address)
            ELSE nullif(trim(address), '') END AS address
FROM credits
ORDER BY time NULLS LAST, credit
