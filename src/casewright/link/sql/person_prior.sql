-- Customers and subjects of earlier cases.   reads: persons   writes: links
-- Email or phone with the date of birth is strong; less than that is said to be just that. Dates count by the day that
-- they mean, where that can be told. A name alone leads to nobody when more than three earlier subjects have it: in half a
-- million of them most names would lead to dozens.
WITH known AS (
    SELECT * EXCLUDE (born), coalesce(born_on, born) AS born, lower(email) AS mail, lower(full_name) AS name FROM persons
),
customer AS (SELECT * FROM known WHERE origin = 'return'),
earlier AS (SELECT * FROM known WHERE origin = 'prior'),
rare AS (SELECT name FROM earlier GROUP BY name HAVING count(*) <= 3),
pairs AS (
    SELECT c.person AS one, e.person AS other FROM customer c JOIN earlier e ON c.mail = e.mail
    UNION SELECT c.person, e.person FROM customer c JOIN earlier e ON c.phone = e.phone AND c.born = e.born
    UNION SELECT c.person, e.person FROM customer c JOIN earlier e ON c.name = e.name AND c.born = e.born
    UNION SELECT c.person, e.person FROM customer c JOIN earlier e ON c.name = e.name JOIN rare ON rare.name = e.name
)
SELECT 'person-prior' AS kind, c.person AS from_id, e.person AS to_id,
       CASE WHEN c.mail = e.mail AND c.born = e.born THEN 'strong: same email and date of birth'
            WHEN c.phone = e.phone AND c.born = e.born THEN 'strong: same phone and date of birth'
            WHEN c.name = e.name AND c.born = e.born THEN 'weak: same name and date of birth'
            WHEN c.mail = e.mail THEN 'weak: same email only'
            ELSE 'weak: name only' END || ', case ' || coalesce(e.reference, '?') AS reason,
       CASE WHEN c.born <> e.born THEN 'dates of birth differ' ELSE 'records may be wrong or borrowed' END AS against,
       [c.person, e.person] AS sources
FROM pairs p JOIN customer c ON c.person = p.one JOIN earlier e ON e.person = p.other
