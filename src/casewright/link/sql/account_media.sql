-- Accounts and the media they put on the service: by the hash that the record names, or else by the end of its path.
-- reads: uploads, items, worklist   writes: links
WITH work AS (SELECT w.item, w.state, i.sha256 FROM worklist w JOIN items i USING (item)),
by_hash AS (
    SELECT u.account, w.item, u.upload, 'the record names its hash' AS how
    FROM uploads u JOIN items i ON i.sha256 = u.sha256 OR (u.sha256 IS NULL AND i.md5 = u.md5)
    JOIN work w ON w.sha256 = i.sha256
),
by_path AS (
    SELECT u.account, w.item, u.upload, 'the record names its path' AS how
    FROM uploads u JOIN items i ON u.sha256 IS NULL AND u.md5 IS NULL AND suffix(i.name, u.reference)
    JOIN work w ON w.sha256 = i.sha256
)
SELECT 'account-media' AS kind, x.account AS from_id, x.item AS to_id,
       'uploaded by this account (' || min(x.how) || '); ' || min(w.state) AS reason,
       'the service''s record says which account, not which person' AS against,
       list_concat(list(DISTINCT x.upload ORDER BY x.upload), ['work/' || x.item]) AS sources
FROM (SELECT * FROM by_hash UNION ALL SELECT * FROM by_path) x
JOIN work w USING (item)
WHERE x.account IS NOT NULL
GROUP BY x.account, x.item
