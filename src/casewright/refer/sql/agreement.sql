-- For each account and customer: whether addresses that the customer's records name are those of the account at the site.
-- reads: links, persons, returns, requests, seen, hidden (seen: sightings with their one form of address; made by the
-- stage), places   writes: ladder
-- The crowd at a common address is counted by a join of its own, in a narrow window: it may be millions.
-- A record that does not say when its address was used is about its transaction: then the block's time stands for it.
WITH told_by AS (
    SELECT l.link, l.from_id AS account, l.to_id AS person, unnest(p.sources) AS return_id
    FROM links l JOIN persons p ON p.person = l.to_id WHERE l.kind = 'account-person'
),
asked AS (SELECT txid, min(time) AS time FROM requests GROUP BY txid),
told AS (
    SELECT t.link, t.account, t.return_id, r.ip, a.address, a.country, a.many, a.hides, r.ip_at,
           coalesce(r.ip_at, q.time) AS at
    FROM told_by t JOIN returns r USING (return_id) JOIN places a USING (ip) LEFT JOIN asked q ON q.txid = r.txid
    WHERE r.ip IS NOT NULL
),
listed AS (
    SELECT t.return_id, t.link, min(h.kind) AS kind FROM told t JOIN hidden h USING (ip)
    WHERE t.at IS NULL OR ((h.since IS NULL OR t.at >= h.since) AND (h.until IS NULL OR t.at <= h.until))
    GROUP BY ALL
),
known AS (
    SELECT t.*, coalesce(l.kind, t.hides) AS hidden_as, t.many OR l.kind IS NOT NULL AS common
    FROM told t LEFT JOIN listed l USING (return_id, link)
),
met AS (
    SELECT k.link, k.return_id, s.id, coalesce(abs(epoch(s.time) - epoch(k.at)) <= $hours * 3600, false) AS near
    FROM known k JOIN seen s USING (address, account) WHERE NOT k.common
),
others AS (
    SELECT k.link, count(DISTINCT s.account) AS shared
    FROM known k JOIN seen s
      ON s.address = k.address AND s.account <> k.account AND abs(epoch(s.time) - epoch(k.at)) <= $hours * 3600
    WHERE NOT k.common GROUP BY k.link
),
apart AS (
    SELECT k.link, count(DISTINCT s.id) AS apart
    FROM known k JOIN seen s ON s.account = k.account AND abs(epoch(s.time) - epoch(k.ip_at)) <= 3600
    WHERE NOT k.common AND k.country IS NOT NULL AND s.country IS NOT NULL AND s.country <> k.country GROUP BY k.link
),
sums AS (
    SELECT link, count(DISTINCT id) FILTER (near) AS agree, list(DISTINCT id ORDER BY id) FILTER (near) AS ids,
           list(DISTINCT return_id ORDER BY return_id) FILTER (near) AS returns,
           count(DISTINCT id) FILTER (NOT near) AS other_times
    FROM met GROUP BY link
)
SELECT k.link, count(DISTINCT k.return_id) AS addresses,
       count(DISTINCT k.return_id) FILTER (k.hidden_as IS NOT NULL) AS nowhere,
       string_agg(DISTINCT k.hidden_as, ', ' ORDER BY k.hidden_as) AS nowhere_kinds,
       any_value(s.agree) AS agree, any_value(s.ids) AS ids, any_value(s.returns) AS returns,
       any_value(s.other_times) AS other_times, any_value(o.shared) AS shared, any_value(a.apart) AS apart
FROM known k LEFT JOIN sums s USING (link) LEFT JOIN others o USING (link) LEFT JOIN apart a USING (link)
GROUP BY k.link ORDER BY k.link
