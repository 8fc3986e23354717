-- Accounts and the payments to their deposit addresses.   reads: payments   writes: links
SELECT 'account-payment' AS kind, account AS from_id, payment AS to_id,
       'paid ' || sats || ' sat to the address that the service gave to this account' AS reason,
       'anybody can pay any address' AS against, [payment, account] AS sources
FROM payments
