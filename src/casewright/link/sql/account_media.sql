-- Accounts and the media they put on the service: by the hash that the record names, or else by the end of its path.
-- reads: uploads, items, worklist   writes: links
-- A path agrees from a slash on, so that 1.jpg is not 11.jpg; an empty one agrees with nothing.
WITH work AS (
    SELECT w.item, w.state, i.sha256, i.md5, '/' || i.name AS name, split_part(i.name, '/', -1) AS last
    FROM worklist w JOIN items i USING (item)
),
paths AS (
    SELECT account, upload, '/' || ltrim(reference, '/') AS ending, split_part(reference, '/', -1) AS last
    FROM uploads WHERE sha256 IS NULL AND md5 IS NULL AND account IS NOT NULL
),
by_path AS (
    SELECT p.account, p.upload, w.sha256
    FROM paths p JOIN work w ON w.last = p.last AND p.last <> '' AND suffix(w.name, p.ending)
    GROUP BY p.account, p.upload, w.sha256
),
found AS (
    SELECT u.account, w.item, w.state, u.upload, 'the record names its hash' AS how
    FROM uploads u JOIN work w ON w.sha256 = lower(u.sha256)
    UNION ALL
    SELECT u.account, w.item, w.state, u.upload, 'the record names its hash (MD5)'
    FROM uploads u JOIN work w ON u.sha256 IS NULL AND w.md5 = lower(u.md5)
    UNION ALL
    SELECT p.account, w.item, w.state, p.upload, 'the record names its path'
    FROM by_path p JOIN work w USING (sha256)
),
many AS (SELECT upload FROM by_path GROUP BY upload HAVING count(*) > 1)
SELECT 'account-media' AS kind, f.account AS from_id, f.item AS to_id,
       'uploaded by this account (' || min(f.how) || '); ' || min(f.state) AS reason,
       'the service''s record says which account, not which person'
       || CASE WHEN bool_and(f.upload IN (SELECT upload FROM many))
               THEN '; several files end in the path that it names' ELSE '' END AS against,
       list_concat(list(DISTINCT f.upload ORDER BY f.upload), ['work/' || f.item]) AS sources
FROM found f
WHERE f.account IS NOT NULL
GROUP BY f.account, f.item
