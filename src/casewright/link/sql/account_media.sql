-- Accounts and the media they put on the service.
-- reads: uploaded_media, worklist   writes: links
SELECT 'account-media' AS kind, p.account AS from_id, p.item AS to_id,
       'uploaded by this account (' || min(p.how) || '); ' || min(w.state) AS reason,
       'the service''s record says which account, not which person'
       || CASE WHEN bool_and(p.shared) THEN '; several files end in the path that it names' ELSE '' END AS against,
       list_concat(list(DISTINCT p.upload ORDER BY p.upload), ['work/' || p.item]) AS sources
FROM uploaded_media p JOIN worklist w USING (item)
WHERE p.account IS NOT NULL
GROUP BY p.account, p.item
