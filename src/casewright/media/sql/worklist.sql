-- Every distinct content of the case with all that decides when a human sees it.
-- reads: items, media, media_matches, media_groups, media_traces, uploaded_media, payments, harmless, judgements
-- writes: worklist (grouped and ranked by the stage)
WITH held AS (SELECT m.item, i.sha256, m.kind, m.pdq FROM media m JOIN items i USING (item)),
contents AS (
    SELECT sha256, min(item) AS item, count(*) AS items,
           any_value(kind ORDER BY item) AS kind, any_value(pdq ORDER BY item) AS pdq
    FROM held GROUP BY sha256
),
found AS (
    SELECT h.sha256, x.match_id, x.method, x.distance, x.entry, x.category,
           struct_pack(x.item_from, x.item_to, x.entry_from, x.entry_to) AS stretch, x.method IN ('sha256', 'sha1', 'md5') AS exact
    FROM media_matches x JOIN held h USING (item)
),
matched AS (
    SELECT sha256, bool_or(exact) AS known, arg_min(method, (distance, entry)) FILTER (NOT exact) AS method,
           min(distance) FILTER (NOT exact) AS distance, arg_min(stretch, (distance, entry)) FILTER (NOT exact) AS stretch,
           coalesce(any_value(category ORDER BY entry) FILTER (exact), arg_min(category, (distance, entry))) AS category,
           list(DISTINCT match_id ORDER BY match_id) AS matches
    FROM found GROUP BY sha256
),
named AS (
    SELECT c.sha256, u.upload, u.account, u.time FROM uploaded_media u JOIN contents c USING (item) WHERE NOT u.shared
),
busy AS (SELECT DISTINCT account FROM named JOIN matched USING (sha256)),
paid AS (SELECT DISTINCT account FROM payments),
uploaded AS (
    SELECT n.sha256, count(DISTINCT n.upload) AS uploads, max(n.time) AS uploaded,
           bool_or(b.account IS NOT NULL) AS by_listed, bool_or(p.account IS NOT NULL) AS by_payer
    FROM named n LEFT JOIN busy b ON b.account = n.account LEFT JOIN paid p ON p.account = n.account
    GROUP BY n.sha256
),
origins AS (
    SELECT g.media_group, g.kind, g.id, h.sha256 FROM media_groups g JOIN held h USING (item)
    WHERE g.kind IN ('device', 'made alike', 'series')
),
listed AS (SELECT DISTINCT media_group FROM origins JOIN matched USING (sha256)),
related AS (
    SELECT sha256, list(DISTINCT kind ORDER BY kind) AS related, list(id ORDER BY id) AS memberships
    FROM origins JOIN listed USING (media_group) GROUP BY sha256
),
versions AS (
    SELECT h.sha256, any_value(g.media_group ORDER BY g.media_group) AS media_group, min(g.distance) AS apart,
           bool_or(g.leads) AS leads, list(g.id ORDER BY g.id) AS memberships
    FROM media_groups g JOIN held h USING (item) WHERE g.kind IN ('near', 'frames') GROUP BY h.sha256
),
placed AS (SELECT DISTINCT h.sha256 FROM media_traces t JOIN held h USING (item) WHERE t.kind = 'position'),
good AS (
    SELECT h.sha256, min(n.list) AS harmless, list(DISTINCT n.id ORDER BY n.id) AS harmless_rows
    FROM harmless n JOIN held h USING (item) GROUP BY h.sha256
),
judged AS (
    SELECT h.sha256,
           arg_max(struct_pack(judgement, verdict, examiner, why), (j.verdict = 'positive', j.judgement)) AS said
    FROM judgements j JOIN held h ON j.link = 'media/' || h.item
    WHERE j.stands AND j.verdict <> 'unsure' GROUP BY h.sha256
)
SELECT c.sha256, c.item, c.items, c.kind, c.pdq, coalesce(m.known, false) AS known, m.method, m.distance, m.stretch, m.category,
       m.matches, coalesce(u.uploads, 0) AS uploads, u.uploaded, coalesce(u.by_listed, false) AS by_listed,
       coalesce(u.by_payer, false) AS by_payer, r.related, v.media_group, v.apart, coalesce(v.leads, true) AS leads,
       list_concat(v.memberships, r.memberships) AS memberships, p.sha256 IS NOT NULL AS placed, g.harmless,
       g.harmless_rows, j.said
FROM contents c
LEFT JOIN matched m USING (sha256) LEFT JOIN uploaded u USING (sha256) LEFT JOIN related r USING (sha256)
LEFT JOIN versions v USING (sha256) LEFT JOIN placed p USING (sha256) LEFT JOIN good g USING (sha256)
LEFT JOIN judged j USING (sha256)
ORDER BY c.sha256
