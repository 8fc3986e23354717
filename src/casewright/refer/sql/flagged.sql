-- The flags that stand, by the account they are about; those on a person by the accounts judged to be theirs.
-- reads: flags, accounts, links, judgements   writes: referrals
SELECT a.account, NULL AS person, f.* FROM flags f JOIN accounts a ON a.account = f.subject WHERE f.stands
UNION ALL
SELECT l.from_id, NULL, f.* FROM flags f JOIN links l ON f.subject = 'media/' || l.to_id
WHERE f.stands AND l.kind = 'account-media'
UNION ALL
SELECT l.from_id, l.to_id, f.* FROM flags f JOIN links l ON f.subject = l.to_id
JOIN judgements j ON j.link = l.link AND j.stands AND j.verdict = 'positive'
WHERE f.stands AND l.kind = 'account-person'
ORDER BY 1, 3
