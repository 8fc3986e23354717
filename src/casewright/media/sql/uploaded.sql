-- Uploads and the contents that they put on the service: by the hash that the record names, or else by its path's end.
-- reads: uploads, items, media   writes: uploaded_media
-- A path agrees from a slash on, so that 1.jpg is not 11.jpg; an empty one agrees with nothing.
WITH contents AS (SELECT i.sha256, min(m.item) AS item FROM media m JOIN items i USING (item) GROUP BY i.sha256),
held AS (
    SELECT c.item, i.sha256, i.md5, '/' || i.name AS name, split_part(i.name, '/', -1) AS last
    FROM media m JOIN items i USING (item) JOIN contents c USING (sha256)
),
paths AS (
    SELECT upload, '/' || ltrim(reference, '/') AS ending, split_part(reference, '/', -1) AS last
    FROM uploads WHERE sha256 IS NULL AND md5 IS NULL
),
by_path AS (
    SELECT DISTINCT p.upload, h.item
    FROM paths p JOIN held h ON h.last = p.last AND p.last <> '' AND suffix(h.name, p.ending)
),
found AS (
    SELECT u.upload, h.item, 'the record names its hash' AS how FROM uploads u JOIN held h ON h.sha256 = lower(u.sha256)
    UNION
    SELECT u.upload, h.item, 'the record names its hash (MD5)'
    FROM uploads u JOIN held h ON u.sha256 IS NULL AND h.md5 = lower(u.md5)
    UNION
    SELECT upload, item, 'the record names its path' FROM by_path
),
many AS (SELECT upload FROM by_path GROUP BY upload HAVING count(*) > 1)
SELECT f.upload || '/' || f.item AS id, f.upload, u.account, u.time, f.item, f.how,
       f.upload IN (SELECT upload FROM many) AS shared, [f.upload, 'media/' || f.item] AS sources
FROM found f JOIN uploads u USING (upload)
ORDER BY f.upload, f.item
