-- The customers that services name for each account, with the judgement that stands.
-- reads: links, persons, judgements   writes: referrals
SELECT l.from_id AS account, l.link, l.to_id AS person, p.country, coalesce(j.verdict, '') AS verdict, j.judgement
FROM links l JOIN persons p ON p.person = l.to_id
LEFT JOIN judgements j ON j.link = l.link AND j.stands
WHERE l.kind = 'account-person' ORDER BY l.from_id, l.link
