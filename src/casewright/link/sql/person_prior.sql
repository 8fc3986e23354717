-- Customers and subjects of earlier cases.   reads: persons   writes: links
-- Email or phone with the date of birth is strong; a name alone is said to be just that.
SELECT 'person-prior' AS kind, c.person AS from_id, e.person AS to_id,
       CASE WHEN lower(c.email) = lower(e.email) AND c.born = e.born THEN 'same email and date of birth'
            WHEN c.phone = e.phone AND c.born = e.born THEN 'same phone and date of birth'
            WHEN lower(c.email) = lower(e.email) THEN 'same email'
            ELSE 'name only' END || ', case ' || coalesce(e.reference, '?') AS reason,
       CASE WHEN c.born <> e.born THEN 'dates of birth differ' ELSE 'records may be wrong or borrowed' END AS against,
       [c.person, e.person] AS sources
FROM persons c
JOIN persons e ON e.origin = 'prior' AND c.origin = 'return' AND (
    (c.email <> '' AND lower(c.email) = lower(e.email)) OR (c.phone <> '' AND c.phone = e.phone AND c.born = e.born)
    OR lower(c.full_name) = lower(e.full_name))
