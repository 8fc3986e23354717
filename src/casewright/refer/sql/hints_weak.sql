-- Weak hints: the prefix of a phone in a customer record, and the language and country that a program says it is set to.
-- reads: links, persons, judgements, logins, phones and agents (made by the stage)   writes: jurisdictions
SELECT l.from_id AS account, n.code AS country, 'phone' AS kind, 'weak' AS strength, false AS routes,
       count(DISTINCT l.link) AS count, NULL::BIGINT AS days, NULL::TIMESTAMP AS first, NULL::TIMESTAMP AS last,
       'the phone in a customer record has its prefix' AS reason, 'numbers are kept when people move' AS against,
       list(DISTINCT l.link ORDER BY l.link) AS sources
FROM links l JOIN persons p ON p.person = l.to_id JOIN phones n ON n.said = p.phone
LEFT JOIN judgements j ON j.link = l.link AND j.stands
WHERE l.kind = 'account-person' AND j.verdict IS DISTINCT FROM 'negative'
GROUP BY l.from_id, n.code
UNION ALL
SELECT g.account, a.code, 'language', 'weak', false, count(*), count(DISTINCT CAST(g.time AS DATE)), min(g.time),
       max(g.time), 'the program at sign-in says that it is set to ' || string_agg(DISTINCT a.locale, ', ' ORDER BY a.locale),
       'programs are set to languages that are spoken elsewhere', list(g.login ORDER BY g.time, g.login)
FROM logins g JOIN agents a ON a.said = g.agent
WHERE g.account IS NOT NULL
GROUP BY g.account, a.code
