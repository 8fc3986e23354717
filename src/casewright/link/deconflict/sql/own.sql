-- What accounts, their uploads and whoever paid for them are known by. Never what stands in evidence without an account,
-- but for keys of PGP and of wallets, which only those who trade have.
-- reads: accounts, former_values, persons, judgements, links, deposit_addresses, wallet_addresses, hops, payments, clusters,
--        selectors, worklist, uploaded_media, items, media
WITH named AS (
    SELECT DISTINCT p.*, l.from_id AS account, j.judgement FROM links l
    JOIN judgements j ON j.link = l.link AND j.stands AND j.verdict = 'positive' JOIN persons p ON p.person = l.to_id
    WHERE l.kind = 'account-person'
),
payers AS (
    SELECT DISTINCT h.from_cluster AS cluster, p.account, h.hop FROM hops h JOIN payments p ON p.payment = h.payment
    WHERE h.direction = 'back' AND h.step = 1
      AND coalesce(h.ends, '') NOT IN ('service', 'mixer', 'tagged', 'joined', 'coinjoin', 'market')
),
wallets_of AS (
    SELECT c.cluster, min(c.address) AS least, count(*) AS size FROM clusters c
    WHERE c.cluster IN (SELECT cluster FROM payers) GROUP BY c.cluster
),
uploaded AS (
    SELECT w.work_group, min(u.account) AS account FROM uploaded_media u JOIN worklist w USING (item)
    WHERE u.account IS NOT NULL AND w.state = 'new' GROUP BY w.work_group
),
new_media AS (
    SELECT w.item, w.opens, u.account, i.sha256, m.pdq, m.pdq_quality FROM worklist w JOIN uploaded u USING (work_group)
    JOIN items i USING (item) JOIN media m USING (item) WHERE w.state = 'new'
),
candidates AS (
    SELECT 'email' AS kind, email AS value, account, account AS source FROM accounts
    UNION ALL SELECT 'email', value, account, id FROM former_values WHERE "column" = 'email'
    UNION ALL SELECT 'email', email, account, person FROM named
    UNION ALL SELECT 'username', $service || chr(9) || username, account, account FROM accounts
    UNION ALL SELECT 'username', $service || chr(9) || value, account, id FROM former_values WHERE "column" = 'username'
    UNION ALL SELECT 'username', replace(reference, '/', chr(9)), account, person FROM named
    WHERE origin = 'return' AND reference NOT LIKE '%/(no number)' AND reference NOT LIKE '%/%/%'
    UNION ALL SELECT 'phone', phone, account, person FROM named
    UNION ALL SELECT 'bitcoin', address, account, id FROM deposit_addresses
    UNION ALL SELECT 'bitcoin', address, NULL, id FROM wallet_addresses WHERE role IN ('own', 'change')
    UNION ALL SELECT 'bitcoin', c.address, p.account, p.hop FROM payers p JOIN wallets_of w USING (cluster)
    JOIN clusters c USING (cluster) WHERE w.size <= $wallet
    UNION ALL SELECT 'cluster', w.least, p.account, p.hop FROM payers p JOIN wallets_of w USING (cluster)
    UNION ALL SELECT kind, canonical, NULL, selector FROM selectors WHERE kind IN ('pgp', 'xpub')
    UNION ALL SELECT 'media', sha256, account, item FROM new_media
    UNION ALL SELECT 'picture', pdq, account, item FROM new_media WHERE opens AND pdq_quality >= $quality
)
SELECT kind, value, account, list(DISTINCT source ORDER BY source) AS sources FROM candidates
WHERE value IS NOT NULL AND value <> '' GROUP BY kind, value, account ORDER BY kind, value, account
