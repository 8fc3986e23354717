-- How many bytes of a package each account may come to, guessed high: so many for every figure that its rows give in all
-- files together, and for texts of the evidence five times their length, since several files hold them.
-- reads: referrals, accounts, payments, services, hops, links, logins, uploads, downloads, reconciled,
--   jurisdictions, ladder
-- writes: figures (which package an account stands in)
WITH mine AS (SELECT DISTINCT account FROM referrals),
paid AS (SELECT payment, account FROM payments WHERE account IN (SELECT account FROM mine)),
weighed AS (
    SELECT account, 4300 + 5 * (coalesce(strlen(username), 0) + coalesce(strlen(email), 0)) AS bytes
    FROM accounts WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 3100 FROM paid
    UNION ALL SELECT p.account, 2800 + 5 * (strlen(s.service) + coalesce(strlen(s.against), 0)
                                            + coalesce(strlen(list_aggregate(s.rules, 'string_agg', ' ')), 0))
    FROM services s JOIN paid p USING (payment)
    UNION ALL SELECT p.account, 1900 + 5 * coalesce(strlen(h.reason), 0)
    FROM hops h JOIN paid p USING (payment) WHERE h.direction = 'back'
    UNION ALL SELECT from_id, 4300 + 5 * (coalesce(strlen(reason), 0) + coalesce(strlen(against), 0))
    FROM links WHERE kind <> 'account-payment' AND from_id IN (SELECT account FROM mine)
    UNION ALL SELECT account, CASE WHEN row_number() OVER (PARTITION BY account ORDER BY time DESC, login) <= 50
                              THEN 1250 + 5 * coalesce(strlen(agent), 0) ELSE 30 END
    FROM logins WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 1250 + 5 * coalesce(strlen(reference), 0)
    FROM uploads WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 1250 + 5 * coalesce(strlen(reference), 0)
    FROM downloads WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 1250 + 5 * coalesce(strlen(reason), 0)
    FROM reconciled WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 1250 + 5 * (coalesce(strlen(reason), 0) + coalesce(strlen(against), 0))
    FROM jurisdictions WHERE account IN (SELECT account FROM mine)
    UNION ALL SELECT account, 1250 + 5 * (coalesce(strlen(reason), 0) + coalesce(strlen(against), 0))
    FROM ladder WHERE account IN (SELECT account FROM mine)
)
SELECT account, sum(bytes)::BIGINT AS bytes FROM weighed GROUP BY account ORDER BY account
