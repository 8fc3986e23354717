"""Selectors in the form in which agencies compare them: every published vector, and what must never be compared."""

import json
from pathlib import Path

import pytest

from casewright.model.selectors import KINDS, NEVER, NoForm, element, normal_form

DOCS = Path(__file__).parents[2] / "docs" / "formats"
VECTORS = [json.loads(line) for line in (DOCS / "selectors.vectors.jsonl").read_text("utf-8").splitlines()]


def form_of(kind: str, given: str) -> str | None:
    try:
        return normal_form(kind, given)
    except NoForm:
        return None


@pytest.mark.parametrize("kind", sorted({v["kind"] for v in VECTORS}))
def test_each_published_vector_has_the_form_that_is_published(kind: str) -> None:
    mine = [v for v in VECTORS if v["kind"] == kind]
    assert [{**v, "form": form_of(kind, v["given"])} for v in mine] == mine


def test_at_least_two_hundred_vectors_are_published_and_every_kind_has_some() -> None:
    assert len(VECTORS) >= 200
    assert {v["kind"] for v in VECTORS} >= {*KINDS, *NEVER}
    assert f"has {len(VECTORS)} examples" in (DOCS / "selectors.md").read_text("utf-8")


def test_a_form_put_in_again_stays_what_it_is() -> None:
    again = [v for v in VECTORS if v["form"] and v["kind"] not in ("bitcoin", "cluster", "xpub")]
    assert again
    assert all(normal_form(v["kind"], v["form"]) == v["form"] for v in again)


def test_two_kinds_with_the_same_form_do_not_meet() -> None:
    assert element("media", "ab" * 32) != element("picture", "ab" * 32)


@pytest.mark.parametrize("kind", sorted(NEVER))
def test_a_kind_that_can_be_tried_through_is_refused_with_the_reason(kind: str) -> None:
    with pytest.raises(NoForm, match="never compared"):
        normal_form(kind, "192.0.2.1")


def test_every_kind_stands_on_the_page() -> None:
    page = (DOCS / "selectors.md").read_text("utf-8")
    assert all(f"`{kind}`" in page for kind in (*KINDS, *NEVER))
