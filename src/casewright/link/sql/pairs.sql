-- The pairs with what the records say, verbatim, and how many records share a value that counts for less.
-- reads: persons, person_forms, pairs (of Splink)   writes: suggestions, suggestion_reasons
WITH names AS (SELECT name_key, count(*) AS n FROM person_forms GROUP BY name_key),
sounds AS (SELECT sound_key, count(*) AS n FROM person_forms GROUP BY sound_key),
days AS (SELECT day, count(*) AS n FROM person_forms GROUP BY day),
mails AS (SELECT mail, count(*) AS n FROM person_forms GROUP BY mail),
phones AS (SELECT phone, count(*) AS n FROM person_forms GROUP BY phone)
SELECT p.*, r.origin AS origin_r, r.reference AS reference_right,
       l.full_name AS full_name_left, r.full_name AS full_name_right, l.born AS born_left, r.born AS born_right,
       l.email AS email_left, r.email AS email_right, l.phone AS phone_left, r.phone AS phone_right,
       l.country AS country_left, r.country AS country_right,
       names.n AS sharing_name_key, sounds.n AS sharing_sound_key, days.n AS sharing_day, mails.n AS sharing_mail,
       phones.n AS sharing_phone
FROM pairs p JOIN persons l ON l.person = p.person_l JOIN persons r ON r.person = p.person_r
JOIN person_forms f ON f.person = p.person_l
LEFT JOIN names ON names.name_key = f.name_key LEFT JOIN sounds ON sounds.sound_key = f.sound_key
LEFT JOIN days ON days.day = f.day LEFT JOIN mails ON mails.mail = f.mail LEFT JOIN phones ON phones.phone = f.phone
ORDER BY p.person_l, p.person_r
