"""How letters of other scripts are written in Latin ones, in several ways each: as passports, papers and clerks do."""

from random import Random

CYRILLIC = {
    "а": "a", "б": "b", "в": "v|v|w", "г": "g", "д": "d", "е": "e|e|ye", "ё": "e|yo|io", "ж": "zh|zh|j", "з": "z|z|s",
    "и": "i", "й": "y|i|j", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s|s|ss",
    "т": "t", "у": "u", "ф": "f", "х": "kh|h|ch", "ц": "ts|c|tz", "ч": "ch|tch|tsch", "ш": "sh|sh|sch",
    "щ": "shch|sch", "ы": "y|i", "ь": "", "э": "e", "ю": "yu|iu|ju", "я": "ya|ia|ja",
}  # fmt: skip
GREEK = {
    "α": "a", "β": "v|v|b", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i|e", "θ": "th", "ι": "i", "κ": "k|k|c",
    "λ": "l", "μ": "m", "ν": "n", "ξ": "x|ks", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y|i|u",
    "φ": "f|ph", "χ": "ch|h|kh", "ψ": "ps", "ω": "o",
}  # fmt: skip
ACCENTED = {
    "ä": "a|ae", "ö": "o|oe", "ü": "u|ue", "ß": "ss", "å": "a|aa", "ø": "o|oe", "æ": "ae", "é": "e", "è": "e", "ê": "e",
    "ë": "e", "í": "i", "ó": "o", "ú": "u", "á": "a", "ñ": "n", "ç": "c", "ã": "a", "õ": "o", "ł": "l",
    "ż": "z", "ź": "z", "ś": "s", "ć": "c", "ń": "n", "ę": "e", "ą": "a", "č": "c", "š": "s", "ž": "z",
    "ř": "r", "ě": "e", "ý": "y", "ş": "s", "ğ": "g", "ı": "i", "ô": "o", "ư": "u", "ơ": "o", "ă": "a",
    "â": "a", "đ": "d", "ễ": "e", "ạ": "a", "ồ": "o", "ị": "i", "ứ": "u", "ầ": "a", "ọ": "o",
}  # fmt: skip


def written_latin(dice: Random, word: str) -> str:
    """A word of Cyrillic, Greek or accented letters in plain Latin ones, in one of the ways that there are."""
    small = word.lower().replace("ου", "u" if dice.random() < 0.3 else "ou")
    table = {**CYRILLIC, **GREEK, **ACCENTED}
    out = "".join(dice.choice(table[letter].split("|")) if letter in table else letter for letter in small)
    return out[:1].upper() + out[1:]
