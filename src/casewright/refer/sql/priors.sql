-- Earlier cases of customers whose note speaks of access or risk: strong suggestions, and what was judged positive.
-- reads: links, persons, judgements   writes: referrals, figures
-- The note is free text: "no known access" is found too, and printed word for word, so that a person decides.
SELECT l.from_id AS person, l.link, e.person AS earlier, e.reference, e.note, l.reason,
       coalesce(j.verdict, 'not judged') AS verdict, j.judgement, j.examiner
FROM links l JOIN persons e ON e.person = l.to_id
LEFT JOIN judgements j ON j.link = l.link AND j.stands
WHERE l.kind = 'person-prior' AND regexp_matches(e.note, '\b(access|risk)', 'i')
  AND (j.verdict = 'positive' OR (coalesce(j.verdict, '') <> 'negative' AND l.reason LIKE 'strong:%'))
ORDER BY l.from_id, j.verdict = 'positive' DESC NULLS LAST, l.link
