-- How two persons' forms are compared: functions that `weights.toml` names in its levels.   writes: nothing
-- A name is a list of its turns (every part put first once), so two names are the same when one has a turn of the other.
CREATE MACRO letters_apart(a, b) AS least(
    list_min([damerau_levenshtein(a[1], x) for x in b]), list_min([damerau_levenshtein(x, b[1]) for x in a]));
CREATE MACRO nearly(a, b, longer) AS
    length(a[1]) >= 5 AND length(b[1]) >= 5 AND abs(length(a[1]) - length(b[1])) <= 2
    AND letters_apart(a, b) <= greatest(1, least(length(a[1]), length(b[1])) // longer);
CREATE MACRO part_more(a, b) AS
    len(a) <> len(b) AND least(len(a), len(b)) >= 2 AND (list_has_all(a, b) OR list_has_all(b, a));
-- How a name that is neither the same nor sounds so is near the other one: 4 nearly the same letters, 3 nearly the same
-- sound, 2 a part more, 1 one part in common, 0 different; 5 otherwise.
CREATE MACRO name_level(parts, other, turns, turns_other, sounds, sounds_other) AS
    CASE WHEN list_has_any(turns, turns_other) OR list_has_any(sounds, sounds_other) THEN 5
         WHEN nearly(turns, turns_other, 7) THEN 4
         WHEN nearly(sounds, sounds_other, 8) AND letters_apart(turns, turns_other) <= length(turns[1]) // 3 THEN 3
         WHEN part_more(parts, other) THEN 2
         WHEN list_has_any(parts, other) THEN 1
         ELSE 0 END;
CREATE MACRO digits_apart(a, b) AS damerau_levenshtein(replace(a, '-', ''), replace(b, '-', ''));
