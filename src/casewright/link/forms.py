"""How persons are compared: one form for the many ways in which a name, a birth date, an email or a phone is written.

Letters of all scripts go to ASCII by AnyAscii (ISC), phones and emails by `model/selectors.py`. Of a name written in
Han characters or Hangul without spaces the first character is the family name, as is the custom. What a kanji sounds
like in Japanese no table of characters can say: such a name meets only itself. A sound is the name's consonants in
classes: vowels are what transliterations differ in most, and Arabic does not write them.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
from anyascii import anyascii

from casewright.engine.stage import Context, Output, Tally
from casewright.link.return_mapping import day_of
from casewright.model.selectors import NoForm, email, phone
from casewright.model.tables import TABLES

LONGEST, PARTS, LONGEST_PART, LONGEST_MAIL = 200, 6, 20, 254
"""Letters and parts of a name that are looked at, and letters of a part: more is no name, and takes long to compare. A
longer email cannot be sent to (RFC 5321)."""
FAMILIES_OF_TWO = ("欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "남궁", "황보", "제갈", "선우", "독고")
KOREAN = {
    form: forms[0]
    for forms in (
        ("kim", "gim"), ("lee", "i", "yi", "rhee", "ri", "li"), ("park", "bag", "bak", "pak"), ("choi", "choe"),
        ("jung", "jeong", "chung", "joung"), ("cho", "jo"), ("kang", "gang"), ("yoon", "yun", "youn"),
        ("lim", "im", "rim", "yim"), ("oh", "o"), ("ahn", "an"), ("yoo", "yu", "you", "ryu"), ("noh", "no", "roh"),
        ("koo", "gu", "ku"), ("woo", "u", "wu"), ("moon", "mun"), ("paik", "baek", "back"), ("shin", "sin"),
    )
    for form in forms
}  # fmt: skip
"""Korean family names as their bearers write them, and as the Revised Romanization of 2000 does."""
BEGINNINGS = ("al", "el", "abd", "abdul", "abdel", "abdal", "abu", "bd")
"""Of Arabic names; the last is the second one without its unwritten vowel."""
SOUNDS = tuple((re.compile(pattern), to) for pattern, to in (
    (r"(.)\1+", r"\1"), (r"^wo+", "u"), (r"ph", "f"), (r"shch|sch|tch|dzh|sh|ch|zh|dj|ts|tz|cz|j", "s"),
    (r"kh|gh|ck", "k"), (r"x", "ks"), (r"c(?=[eiy])", "s"), (r"[cqg]", "k"), (r"d", "t"), (r"b", "p"),
    (r"[vw]", "f"), (r"z", "s"),
    (r"(.)\1+", r"\1"), (r"[aeiouyh]", ""),
))  # fmt: skip
SHORTEST_SOUND, SHORTEST_MAIL_NAME, TAIL = 4, 6, 8


def person_forms(batch: pa.Table, context: Context) -> Output:
    """Every person in the form in which they are compared."""
    rows = [forms_of(person) for person in batch.to_pylist()]
    return Output({"person_forms": TABLES["person_forms"].rows(rows)}, [], [Tally("persons", len(rows), len(rows))])


def forms_of(person: Mapping[str, Any]) -> dict[str, Any]:
    """The row of `person_forms` for a row of `persons`."""
    parts = parts_of(person["full_name"])
    turns, sounds = turned(parts), turned([sound_of(part) for part in parts])
    sounds = [sound for sound in sounds if len(sound) >= SHORTEST_SOUND]
    born, other, sure = days_of(person["born"], person["born_on"])
    mail, mail_name = mail_of(person["email"])
    number = phone_of(person["phone"], person["country"])
    tail = number[-TAIL:] if number and len(number) > TAIL else None
    country = (person["country"] or "").strip().upper() or None
    return {"person": person["person"], "origin": person["origin"], "parts": sorted(parts), "turns": turns,
            "name_key": min(turns, default=None), "sounds": sounds, "sound_key": min(sounds, default=None),
            "day": born if sure else None, "born": born, "born_turned": other, "mail": mail, "mail_name": mail_name,
            "phone": number, "phone_tail": tail, "country": country}  # fmt: skip


def parts_of(name: str | None) -> list[str]:
    """The parts of a name in small ASCII letters, in the order in which they are written."""
    text = unicodedata.normalize("NFKC", name or "")[:LONGEST]
    words = re.split(r"[\s,;/]+", text)
    parts = []
    for word in words:
        if not _by_syllable(word):
            parts.append(letters_of(_without_weak(word)))
            continue
        syllables = [letters_of(letter) for letter in word]
        if len([w for w in words if w]) == 1 and 2 <= len(word) <= 4:
            family = 2 if word.startswith(FAMILIES_OF_TWO) else 1
            parts += ["".join(syllables[:family]), "".join(syllables[family:])]
        else:
            parts.append("".join(syllables))
    joined = _joined([part for part in parts if part])[:PARTS]
    return [KOREAN.get(part, part)[:LONGEST_PART] for part in joined]


def _joined(parts: Sequence[str]) -> list[str]:
    """With what only begins a name put before its next part."""
    joined, before = [], ""
    for number, part in enumerate(parts, 1):
        before += part
        if part not in BEGINNINGS or number == len(parts):
            joined.append(before)
            before = ""
    return joined


def letters_of(text: str) -> str:
    """The text's letters in small ASCII."""
    return re.sub(r"[^a-z]", "", anyascii(text).lower())


def _by_syllable(word: str) -> bool:
    """Whether it is written in Han characters or Hangul alone."""
    return bool(word) and all("一" <= letter <= "鿿" or "가" <= letter <= "힣" for letter in word)


def _without_weak(word: str) -> str:
    """An Arabic word without the letters that stand for long vowels, where they do not begin it."""
    return word[:1] + re.sub("[وی\u064a]", "", word[1:]) if re.search("[\u0600-\u06ff]", word) else word


def turned(parts: Sequence[str]) -> list[str]:
    """A name in every turn of its parts, without spaces: whichever of them was put first."""
    return list(dict.fromkeys("".join((*parts[n:], *parts[:n])) for n in range(len(parts))))


@lru_cache(1 << 16)
def sound_of(part: str) -> str:
    for pattern, to in SOUNDS:
        part = pattern.sub(to, part)
    return part


def days_of(born: str | None, born_on: str | None) -> tuple[str | None, str | None, bool]:
    """The day, the day with its month and day turned where that is one too, and whether the first is sure."""
    if born_on:
        year, month, day = born_on.split("-")
        other = day_of(f"{year}-{day}-{month}") if day != month else None
        return born_on, other, True
    first, other = day_of(born, "day month year"), day_of(born, "month day year")
    return first or other, other if first else None, False


def mail_of(text: str | None) -> tuple[str | None, str | None]:
    """An email in small letters without what stands behind a plus (and, as Google reads them, without dots), and the
    part before the @ where it is long enough to tell."""
    written = (text or "").strip()
    try:
        mail = email(written) if len(written) <= LONGEST_MAIL else ""
    except NoForm:
        mail = ""
    if not mail:
        return None, None
    plain = re.sub(r"[._-]", "", mail.rpartition("@")[0])
    return mail, plain if len(plain) >= SHORTEST_MAIL_NAME else None


def phone_of(text: str | None, country: str | None) -> str | None:
    """A phone as E.164 where its plan is known, by its prefix or its owner's country; otherwise its digits."""
    written = unicodedata.normalize("NFKC", text or "").strip()[:60]
    written = "+" + written[2:] if written.startswith("00") else written
    try:
        return phone(written, (country or "").strip().upper() or None)
    except NoForm:
        pass
    digits = "".join(str(unicodedata.digit(d)) for d in written if d.isdecimal()).lstrip("0")
    return digits if len(digits) >= TAIL - 1 else None
