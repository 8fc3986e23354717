"""How much is left at each step from accounts to referrals: a count a step, for people who ask how far the case is."""

FUNNEL = {
    "accounts": "SELECT count(*) AS n FROM accounts",
    "wallets": "SELECT count(*) AS n FROM wallets",
    "wallet addresses": "SELECT count(*) AS n FROM wallet_addresses",
    "accounts that paid": "SELECT count(DISTINCT account) AS n FROM payments",
    "payments": "SELECT count(*) AS n FROM payments",
    "payments with a service": "SELECT count(DISTINCT payment) AS n FROM services "
    "WHERE direction = 'back' AND confidence <> 'none'",
    "customer records": "SELECT count(*) AS n FROM returns",
    "suggested persons": "SELECT count(*) AS n FROM links WHERE kind = 'account-person'",
    "pairs that may be one person": "SELECT count(*) AS n FROM suggestions",
    "such pairs not judged": "SELECT count(*) AS n FROM suggestions "
    "ANTI JOIN (FROM judgements WHERE stands) USING (link)",
    "persons judged": "SELECT count(*) AS n FROM judgements JOIN links USING (link) "
    "WHERE stands AND kind = 'account-person'",
    "judged positive": "SELECT count(*) AS n FROM judgements JOIN links USING (link) "
    "WHERE stands AND kind = 'account-person' AND verdict = 'positive'",
    "media known": "SELECT count(*) AS n FROM worklist WHERE state = 'known'",
    "media near": "SELECT count(*) AS n FROM worklist WHERE state = 'near'",
    "media new": "SELECT count(*) AS n FROM worklist WHERE state = 'new'",
    "accounts with a country": "SELECT count(DISTINCT account) AS n FROM jurisdictions "
    "WHERE routes AND country <> 'ZZ'",
    "flags": "SELECT count(*) AS n FROM flags WHERE stands",
    "flags that move no referral": "SELECT count(*) AS n FROM flags WHERE stands "
    "AND flag NOT IN (SELECT unnest(flags) FROM referrals)",
    "referrals": "SELECT count(*) AS n FROM referrals",
    "countries": "SELECT count(DISTINCT country) AS n FROM referrals",
}
