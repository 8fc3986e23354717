-- Every time that an account was seen at an address, on the seized site's own records.
-- reads: logins, uploads, downloads, sessions, accounts   writes: jurisdictions, ladder
-- Sessions that rest on a sign-in are left out: the sign-in stands here.
SELECT login AS id, account, ip, time, 'sign-in' AS what FROM logins WHERE account IS NOT NULL AND ip IS NOT NULL
UNION ALL SELECT upload, account, ip, time, 'upload' FROM uploads WHERE account IS NOT NULL AND ip IS NOT NULL
UNION ALL SELECT download, account, ip, time, 'download' FROM downloads WHERE account IS NOT NULL AND ip IS NOT NULL
UNION ALL SELECT session, account, ip, started_at, 'visit' FROM sessions
          WHERE account IS NOT NULL AND ip IS NOT NULL AND basis = 'requests'
UNION ALL SELECT account, account, registered_ip, registered_at, 'sign-up' FROM accounts WHERE registered_ip IS NOT NULL
