"""Two records are suggested as one person by weights that are the same in every case, and nothing is merged."""

from typing import Any

import pytest

from casewright.demo.crowd.crowd import crowd
from casewright.link.forms import forms_of, phone_of
from casewright.link.weights import weights
from tests.link.crowds import pairs, persons, suggested
from tests.world import rows_of

ANNA: dict[str, Any] = {"person": "person-1", "origin": "return", "reference": "Kestrel/C-1",
                        "full_name": "Anna Sokolova", "born": "1980-04-13", "born_on": "1980-04-13",
                        "email": "anna.s@example.org", "phone": "+31 555 123456", "country": "NL",
                        "sources": ["return-1"]}  # fmt: skip
BEFORE = {**ANNA, "person": "person-2", "origin": "prior", "reference": "2014-1", "sources": []}


def form(name: str, **more: Any) -> dict[str, Any]:
    return forms_of({**ANNA, "full_name": name, **more})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Sokolova", "SOKOLOVA, Anna"), ("Müller Jürgen", "Jurgen Muller"), ("王小明", "Xiaoming Wang"),
        ("王小明", "Wang Xiao Ming"), ("김민준", "Min-jun Kim"), ("이서연", "Lee Seo-yeon"), ("박 민준", "Minjun Park"),
        ("欧阳娜", "Na Ouyang"), ("Łukasz Żółć", "Zolc Lukasz"), ("Lieke van Fictie", "Fictie, Lieke van"),
    ],
)  # fmt: skip
def test_a_name_is_the_same_in_any_script_and_order(one: str, other: str) -> None:
    assert set(form(one)["turns"]) & set(form(other)["turns"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Дмитрий Соколов", "Sokolow, Dmitri"), ("محمد عبد الرحمن", "Mohammed Abdulrahman"),
        ("محمود خالد", "Khaled Mahmoud"),
        ("Γεώργιος Παπαδόπουλος", "Georgios Papadopoulos"), ("Jürgen Müller", "Mueller Juergen"),
        ("Юлия Щербакова", "Iulia Scherbakova"),
    ],
)  # fmt: skip
def test_a_name_sounds_the_same_however_it_is_transliterated(one: str, other: str) -> None:
    assert set(form(one)["sounds"]) & set(form(other)["sounds"])


def test_other_names_do_not_sound_the_same() -> None:
    assert not set(form("Anna Sokolova")["sounds"]) & set(form("Inga Petrova")["sounds"])


@pytest.mark.parametrize(
    ("written", "country", "meant"),
    [
        ("06 12345678", "NL", "+31612345678"), ("0031 6 1234-5678", None, "+31612345678"),
        ("+31 (0)6 12345678", "", "+31612345678"),
        ("٠٦١٢٣٤٥٦٧٨", "NL", "+31612345678"), ("+00 555 0001", "NL", "5550001"), ("none", "NL", None), ("", None, None),
    ],
)  # fmt: skip
def test_a_phone_is_one_number_however_it_is_written(written: str, country: str | None, meant: str | None) -> None:
    assert phone_of(written, country) == meant


def test_an_email_is_one_address_however_it_is_written() -> None:
    assert form("A", email=" Anna.S+Shop@Example.org ")["mail"] == "anna.s@example.org"
    assert form("A", email="a.n.na@googlemail.com")["mail"] == "anna@gmail.com"
    assert form("A", email="no address")["mail"] is None


def test_a_date_that_may_be_two_days_is_kept_as_both() -> None:
    told = form("A", born="03/04/1980", born_on=None)
    assert (told["day"], told["born"], told["born_turned"]) == (None, "1980-04-03", "1980-03-04")


SAID = ("full_name", "born", "email", "phone", "country")
HOSTILE = ("", " ,;/", "x" * 10_000, "a b " * 5_000, "\x00\ud800'\"; DROP TABLE persons;--", "\u202egnp", "欧阳", "🙂")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_record_says_it_has_a_form(text: str) -> None:
    told = forms_of(
        {**ANNA, **dict.fromkeys(("full_name", "born", "email", "phone", "country"), text), "born_on": None}
    )
    assert len(told["parts"]) <= 6
    assert all(letter.isascii() and letter.isalpha() for turn in told["turns"] for letter in turn)


def test_hostile_records_are_compared_like_others_and_soon() -> None:
    said = ["\x00", "' OR 1=1 --", "x@" + "y" * 10_000, "\ufdfd" * 200, "a" * 10_000, "\u202e@\u202e", "1-1-1"]
    rows = [{**ANNA, **dict.fromkeys(SAID, text), "born_on": None, "person": f"{origin}-{n}", "origin": origin}
            for n, text in enumerate(said) for origin in ("return", "prior")]  # fmt: skip
    assert all(row["from_id"][-1] == row["to_id"][-1] for row in pairs(rows)), "each is like itself at most"


def test_the_same_person_in_an_earlier_case_is_suggested_with_every_weight() -> None:
    tables = suggested([ANNA, {**BEFORE, "full_name": "СОКОЛОВА АННА", "email": None}])
    (pair,) = rows_of(tables["suggestions"])
    assert (pair["kind"], pair["from_id"], pair["to_id"]) == ("person-prior", "person-1", "person-2")
    assert pair["reason"].startswith("likely: ")
    assert pair["reason"].endswith(", case 2014-1")
    reasons = rows_of(tables["suggestion_reasons"])
    assert [one["comparison"] for one in reasons] == ["start", "name", "birth date", "email", "phone", "country"]
    assert sum(one["bits"] for one in reasons) == pytest.approx(pair["weight"], abs=0.05)
    email = reasons[3]
    assert (email["left"], email["right"], email["bits"]) == ("anna.s@example.org", None, 0.0)


def test_customers_of_two_services_are_suggested_as_one_once() -> None:
    (pair,) = pairs([ANNA, {**ANNA, "person": "person-3", "reference": "Tallow/9"}])
    assert (pair["kind"], pair["from_id"], pair["to_id"]) == ("person-person", "person-1", "person-3")


def test_earlier_subjects_are_not_held_against_each_other() -> None:
    assert pairs([BEFORE, {**BEFORE, "person": "person-9"}]) == []


def test_a_twin_is_not_suggested_and_says_what_speaks_against() -> None:
    twin = {**BEFORE, "full_name": "Ksenia Sokolova", "email": "ksenia@example.org"}
    assert pairs([ANNA, twin]) == []
    (pair,) = pairs([ANNA, twin], at=0.0)
    for words in ("a relative may be called so", "twins are born so", "a shared phone", "different emails"):
        assert words in pair["against"]


def test_who_shares_a_phone_alone_is_not_suggested() -> None:
    flatmate = {
        **BEFORE,
        "full_name": "Bram Visser",
        "email": "bram@example.org",
        "born": "1975-01-02",
        "born_on": "1975-01-02",
    }
    assert pairs([ANNA, flatmate]) == []


def test_a_name_that_many_records_share_counts_for_less() -> None:
    crowded = [{**BEFORE, "person": f"other-{n}", "born": f"19{n:02d}-01-01", "born_on": f"19{n:02d}-01-01",
                "email": None, "phone": None} for n in range(10, 60)]  # fmt: skip
    tables = suggested([ANNA, BEFORE, *crowded])
    shared = [one for one in rows_of(tables["suggestion_reasons"]) if one["says"].startswith("but ")]
    assert [(one["comparison"], one["says"]) for one in shared] == [("name", "but 52 records of this case share it")]
    assert shared[0]["bits"] < 0
    assert "but 52 records" in rows_of(tables["suggestions"])[0]["against"]


def test_suggestions_do_not_depend_on_the_order_of_the_records() -> None:
    rows = persons(crowd(5, 60, 200))
    assert suggested(rows) == suggested(list(reversed(rows)))


def test_one_suggestion_weighs_the_same_whoever_else_is_in_the_case() -> None:
    (alone,) = pairs([ANNA, BEFORE])
    among = pairs([ANNA, BEFORE, *persons(crowd(6, 40, 200))])
    assert alone in among


def test_on_a_crowd_that_nothing_was_trained_on_suggestions_are_right_and_most_are_found() -> None:
    """`just bench-resolution` measures more and larger ones, and prints what they are wrong on."""
    told = crowd(77, 400, 3000)
    truth = {frozenset(pair) for pair in told.truth()}
    found = {frozenset((row["from_id"], row["to_id"])) for row in pairs(persons(told))}
    assert len(truth) > 100
    assert len(found & truth) >= 0.99 * len(found)
    assert len(found & truth) >= 0.85 * len(truth)


def test_the_weights_are_whole() -> None:
    """Shares of one comparison add up to about one, so that no way to differ was forgotten."""
    for one in weights().comparisons:
        assert sum(level.m for level in one.levels) == pytest.approx(1, abs=0.06), one.name
        assert sum(level.u for level in one.levels) == pytest.approx(1, abs=0.01), one.name
        assert one.levels[-1].when == "ELSE"
    assert weights().start_bits == pytest.approx(-19.93, abs=0.01)
