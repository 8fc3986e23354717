"""The queries for what the picture of a payment is made of; `payment` is bound."""

HOPS = """
SELECT h.*, b.time FROM hops h LEFT JOIN transactions t USING (txid) LEFT JOIN blocks b ON b.hash = t.block
WHERE $payment IS NULL OR h.payment = $payment ORDER BY h.payment NULLS LAST, h.direction, h.step, h.hop
"""
"""Without a payment: the hops of all, and of what the market's own wallets spent."""
PAYMENT = "SELECT p.*, a.username FROM payments p LEFT JOIN accounts a USING (account) WHERE p.payment = $payment"
SERVICES = "SELECT * FROM services WHERE payment = $payment ORDER BY direction, hops, service, id"
