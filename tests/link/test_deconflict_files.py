"""The files of an exchange between two agencies: what comes out, what is refused, how long keys are kept."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from casewright.link.deconflict.asking import Found
from casewright.link.deconflict.card import Card, card_of, read_card
from casewright.link.deconflict.exchange import Exchange
from casewright.link.deconflict.keep import remove_stale
from casewright.link.deconflict.message import HITS, read_message, written
from casewright.link.deconflict.side import Own
from casewright.link.deconflict.sizes import filled_up, is_step, step_above
from casewright.model.errors import Missing, Refused
from casewright.model.settings import CaseSettings
from casewright.vault.age_keys import age_identity
from casewright.vault.case import Case

pytest.importorskip("private_set_intersection", reason="openmined-psi is not installed")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS: list[Own] = [("email", "anna@example.com"), ("email", "ben@example.com"), ("pgp", "ab" * 20)]
THEIRS: list[Own] = [
    ("email", "anna@example.com"),
    ("email", "eve@example.com"),
    ("pgp", "ab" * 20),
    ("media", "cd" * 32),
]
CAP = 2


@dataclass(frozen=True)
class Desk:
    """Two agencies at a moment of their exchange; the files that went over the table lie in `root`."""

    root: Path

    def case(self, name: str) -> Case:
        return Case(self.root / name)

    def side(self, name: str, now: datetime = NOON) -> Exchange:
        other = "theirs" if name == "ours" else "ours"
        return Exchange(self.case(name), card_of(self.case(other)), f"order of {name}", now)

    def give(self, name: str, file: str, make: Callable[[Exchange], Any], now: datetime = NOON) -> Path:
        """Let a side make a file."""
        side = self.side(name, now)
        with side.case.writing():
            made = make(side)
        (self.root / file).write_bytes(made.raw)
        return self.root / file

    def read(self, file: str, now: datetime = NOON) -> Found:
        side = self.side("theirs", now)
        with side.case.writing():
            return side.read(self.root / file)

    def told(self, name: str) -> list[dict[str, Any]]:
        return [dict(e.data) for e in self.case(name).ledger.events("deconfliction")]

    def keys(self, name: str) -> list[Path]:
        return sorted((self.root / name / "deconflict").glob("*/key"))

    def forged(self, file: str, sender: str, body: bytes | None = None, **changes: Any) -> Path:
        """A file made anew by its own sender, who can sign what they like."""
        reader = "theirs" if sender == "ours" else "ours"
        identity = age_identity(self.case(reader).age_key_path())
        path = self.root / file
        step = changes.pop("of", file.removesuffix(".age"))
        message, old = read_message(path, step, identity, self.case(reader).settings.seal.public_key,
                                    card_of(self.case(sender)))  # fmt: skip
        whole = old if body is None else body
        changed = replace(message, **{"body": _digest(whole), **changes})
        path.write_bytes(written(changed, whole, self.case(sender).seal_key()))
        return path


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exchange, step by step; a folder holds how both cases and the table looked after each."""
    root = tmp_path_factory.mktemp("exchange")
    desk = Desk(root / "now")
    for name in ("ours", "theirs"):
        about = CaseSettings(f"Case of {name}", f"Agency of {name}", "E", f"REF-{name}")
        Case.create(desk.root / name, about, "seal.key")
        settings = desk.root / name / "case.toml"
        settings.write_text(settings.read_text("utf-8").replace("queries_per_peer = 10", f"queries_per_peer = {CAP}"))
    steps: dict[str, Callable[[], Any]] = {
        "begun": lambda: None,
        "setup": lambda: desk.give("ours", "setup.age", lambda s: s.setup(OURS)),
        "request": lambda: desk.give("theirs", "request.age", lambda s: s.request(desk.root / "setup.age", THEIRS)),
        "answer": lambda: desk.give("ours", "answer.age", lambda s: s.answer(desk.root / "request.age", False)),
        "counted": lambda: desk.read("answer.age"),
        "which": lambda: desk.give("theirs", "which.age", lambda s: s.which(desk.root / "setup.age")),
        "told": lambda: desk.give("ours", "told.age", lambda s: s.answer(desk.root / "which.age", True)),
        "over": lambda: desk.read("told.age"),
    }
    for name, step in steps.items():
        step()
        shutil.copytree(desk.root, root / name)
    return root


@pytest.fixture
def after(moments: Path, tmp_path: Path) -> Callable[[str], Desk]:
    """The exchange as it stood after a step, to go on from."""

    def again(step: str) -> Desk:
        shutil.copytree(moments / step, tmp_path / step)
        return Desk(tmp_path / step)

    return again


def test_the_asking_side_learns_how_many_and_then_which_and_the_peers_case(after: Callable[[str], Desk]) -> None:
    counted = after("answer").read("answer.age")
    assert (counted.common, counted.hits, counted.message.reference) == (2, [], "")
    found = after("told").read("told.age")
    assert found.hits == [("email", "anna@example.com"), ("pgp", "ab" * 20)]
    assert (found.message.agency, found.message.reference) == ("Agency of ours", "REF-ours")


def test_both_ledgers_tell_the_same_messages_and_no_selector_and_no_key(moments: Path) -> None:
    desk = Desk(moments / "over")
    ours, theirs = desk.told("ours"), desk.told("theirs")
    sent = [e["message"] for e in ours if e["way"] == "sent"]
    assert sent == [e["message"] for e in theirs if e["way"] == "received"]
    assert [e["message"] for e in theirs if e["way"] == "sent"] == [
        e["message"] for e in ours if e["way"] == "received"
    ]
    assert {e["authority"] for e in ours} == {"order of ours", "order of theirs"}
    keys = [
        p.read_bytes().hex()
        for step in ("setup", "request")
        for n in ("ours", "theirs")
        for p in Desk(moments / step).keys(n)
    ]
    assert len(keys) == 3
    for name in ("ours", "theirs"):
        lines = (moments / "over" / name / "ledger.jsonl").read_text("utf-8")
        assert not any(secret in lines for secret in ("anna@", "ben@", "eve@", "ab" * 20, *keys))


def test_keys_are_fresh_for_each_exchange_and_gone_when_it_is_over(moments: Path, after: Callable[[str], Desk]) -> None:
    assert [len(Desk(moments / step).keys("ours")) for step in ("setup", "counted", "told", "over")] == [1, 1, 0, 0]
    assert [len(Desk(moments / step).keys("theirs")) for step in ("setup", "request", "told", "over")] == [0, 1, 1, 0]
    desk = after("setup")
    assert desk.keys("ours")[0].stat().st_mode & 0o077 == 0
    first = desk.keys("ours")[0].read_bytes()
    desk.give("ours", "second.age", lambda s: s.setup(OURS))
    assert len({p.read_bytes() for p in desk.keys("ours")} | {first}) == 2
    assert (desk.root / "second.age").read_bytes() != (desk.root / "setup.age").read_bytes()


def test_keys_of_an_exchange_that_nobody_ended_go_when_it_has_expired(after: Callable[[str], Desk]) -> None:
    desk = after("request")
    remove_stale(desk.root / "ours", "2026-03-15")
    assert len(desk.keys("ours")) == 1
    for name in ("ours", "theirs"):
        remove_stale(desk.root / name, "2026-03-16")
        assert not list((desk.root / name / "deconflict").iterdir())
    with pytest.raises(Missing, match="keys of this exchange are gone"):
        desk.give("ours", "answer.age", lambda s: s.answer(desk.root / "request.age", False))


def test_kinds_that_the_peer_does_not_have_are_not_asked(moments: Path) -> None:
    asked = next(e for e in Desk(moments / "request").told("theirs") if e["way"] == "sent")
    assert asked["kinds"] == ["email", "pgp"]


def test_a_file_is_put_aside_before_the_ledger_says_that_it_went_out(after: Callable[[str], Desk]) -> None:
    desk, held = after("request"), list[tuple[bytes, int]]()
    side = desk.side("ours")
    side = replace(side, hold=lambda raw: held.append((raw, len(desk.told("ours")))))
    before = len(desk.told("ours"))
    with side.case.writing():
        made = side.answer(desk.root / "request.age", False)
    assert held == [(made.raw, before)]
    assert len(desk.told("ours")) == before + 2


def test_in_the_other_direction_the_peer_sends_and_we_ask(after: Callable[[str], Desk]) -> None:
    desk = after("over")
    desk.give("theirs", "back.age", lambda s: s.setup(THEIRS))
    desk.give("ours", "ask.age", lambda s: s.request(desk.root / "back.age", OURS))
    desk.give("theirs", "said.age", lambda s: s.answer(desk.root / "ask.age", False))
    side = desk.side("ours")
    with side.case.writing():
        assert side.read(desk.root / "said.age").common == 2


def test_none_in_common_ends_the_exchange(after: Callable[[str], Desk]) -> None:
    desk = after("setup")
    desk.give("theirs", "request.age", lambda s: s.request(desk.root / "setup.age", [("email", "eve@example.com")]))
    desk.give("ours", "answer.age", lambda s: s.answer(desk.root / "request.age", False))
    assert desk.read("answer.age").common == 0
    assert desk.keys("theirs") == []
    with pytest.raises(Refused, match="nothing is common"):
        desk.give("theirs", "which.age", lambda s: s.which(desk.root / "setup.age"))


def test_a_file_opens_and_checks_with_stock_tools_in_any_language(moments: Path) -> None:
    desk = Desk(moments / "setup")
    identity = age_identity(desk.case("theirs").age_key_path())
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt((desk.root / "setup.age").read_bytes(), [identity]))) as opened:
        assert opened.getnames() == ["message.json", "message.json.minisig", "body"]
        header = opened.extractfile("message.json")
        assert header
        message = json.loads(header.read())
    assert (message["size"], message["asked"], message["reference"]) == (1024, 10240, "")


def refusal(desk: Desk, step: str, path: Path, now: datetime = NOON, tell: bool = False) -> str:
    """Why a file is refused by the side that it is for."""
    takes: dict[str, Callable[[], Any]] = {
        "request": lambda: desk.give("theirs", "out.age", lambda s: s.request(path, THEIRS), now),
        "answer": lambda: desk.give("ours", "out.age", lambda s: s.answer(path, tell), now),
        "read": lambda: desk.read(path.name, now),
    }
    with pytest.raises(Refused) as caught:
        takes[step]()
    return str(caught.value)


@pytest.mark.parametrize("at", [0, 40, 150, 300, -1000, -1])
def test_a_file_of_which_a_byte_was_changed_is_refused(after: Callable[[str], Desk], at: int) -> None:
    desk = after("setup")
    path = desk.root / "setup.age"
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    assert "was changed on the way" in refusal(desk, "request", path)


@pytest.mark.parametrize("size", [0, 10, 2000])
def test_a_file_that_was_cut_is_refused(after: Callable[[str], Desk], size: int) -> None:
    desk = after("setup")
    path = desk.root / "setup.age"
    path.write_bytes(path.read_bytes()[:size])
    assert "was changed on the way" in refusal(desk, "request", path)


def test_a_file_for_another_agency_is_refused(after: Callable[[str], Desk]) -> None:
    desk = after("setup")
    assert "not encrypted to this agency" in refusal(desk, "answer", desk.root / "setup.age")


def test_a_file_by_another_sender_than_the_card_says_is_refused(after: Callable[[str], Desk], tmp_path: Path) -> None:
    desk = after("setup")
    stranger = Case.create(tmp_path / "stranger", CaseSettings("x", "Agency of ours", "E"), "seal.key")
    side = replace(desk.side("theirs"), peer=card_of(stranger))
    with side.case.writing(), pytest.raises(Refused, match="was not signed by Agency of ours"):
        side.request(desk.root / "setup.age", THEIRS)


def test_a_file_that_was_signed_for_somebody_else_and_passed_on_is_refused(
    after: Callable[[str], Desk], tmp_path: Path
) -> None:
    desk = after("setup")
    other = Case.create(tmp_path / "other", CaseSettings("x", "Third", "E"), "seal.key")
    forged = desk.forged("setup.age", "ours", receiver=other.settings.seal.public_key)
    assert "meant for another agency" in refusal(desk, "request", forged)


CHANGES: dict[str, dict[str, Any]] = {
    "follows casewright-deconfliction-2": {"format": "casewright-deconfliction-2"},
    "follows casewright-deconfliction-1 and other": {"rules": "other"},
    "is a answer, not a setup": {"step": "answer"},
    "of another type": {"size": -1},
    "is none of the steps": {"size": 1025},
    "parts that its size says": {"size": 1310720},
    "share of false hits is 0.5": {"rate": "0.5"},
    "is stale": {"expires": "2026-02-28"},
    "is not yet": {"made": (NOON + timedelta(days=2)).isoformat()},
    "is no time": {"made": "yesterday"},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_set_whose_sender_breaks_the_rules_is_refused_with_the_reason(
    after: Callable[[str], Desk], reason: str
) -> None:
    desk = after("setup")
    forged = desk.forged("setup.age", "ours", **CHANGES[reason])
    assert reason in refusal(desk, "request", forged)


def test_a_set_that_would_make_more_false_hits_than_it_states_is_refused(after: Callable[[str], Desk]) -> None:
    desk = after("setup")
    forged = desk.forged("setup.age", "ours", asked=1024)
    desk.give("theirs", "request.age", lambda s: s.request(forged, THEIRS))
    side = desk.side("ours")
    identity, mine = age_identity(side.case.age_key_path()), side.case.settings.seal.public_key
    asked, body = read_message(desk.root / "request.age", "request", identity, mine, side.peer)
    answer = replace(asked, step="answer", sender=asked.receiver, sender_age=asked.receiver_age,
                     receiver=asked.sender, receiver_age=asked.sender_age, answers=asked.digest)  # fmt: skip
    (desk.root / "answer.age").write_bytes(written(answer, body, side.case.seal_key()))
    assert "share of false hits is not the one" in refusal(desk, "read", desk.root / "answer.age")


@pytest.mark.parametrize("body", [b"", b"\2" * 32, b"\xff" * 33 * 1024, bytes(33 * 1024)])
def test_a_request_that_holds_no_points_is_refused(after: Callable[[str], Desk], body: bytes) -> None:
    desk = after("request")
    said = refusal(desk, "answer", desk.forged("request.age", "theirs", body))
    assert "does not follow the protocol" in said or "allowed are steps" in said
    assert desk.told("ours")[-1]["step"] in ("setup", "request")


def test_a_set_that_would_end_the_library_is_refused(after: Callable[[str], Desk]) -> None:
    from private_set_intersection.python import ServerSetup

    desk = after("request")
    setup = ServerSetup()
    setup.gcs.hash_range = 0
    bad = setup.SerializeToString()
    kept = next((desk.root / "theirs" / "deconflict").glob("asks-*"))
    (kept / "set").write_bytes(len(bad).to_bytes(4, "big") + bad)
    desk.give("ours", "answer.age", lambda s: s.answer(desk.root / "request.age", False))
    assert "does not follow the protocol" in refusal(desk, "read", desk.root / "answer.age")


def test_a_request_or_an_answer_that_comes_again_is_refused_as_a_replay(after: Callable[[str], Desk]) -> None:
    desk = after("counted")
    assert "a replay" in refusal(desk, "answer", desk.root / "request.age")
    assert "a replay" in refusal(desk, "read", desk.root / "answer.age")
    assert desk.told("ours")[-1]["way"] == "refused"
    assert "a replay" in desk.told("ours")[-1]["why"]


def test_a_set_is_asked_once(after: Callable[[str], Desk], moments: Path) -> None:
    desk = after("answer")
    desk.give("theirs", "again.age", lambda s: s.request(desk.root / "setup.age", [("email", "ben@example.com")]))
    assert "asks the same set again (count)" in refusal(desk, "answer", desk.root / "again.age")
    assert "answers an earlier request" in refusal(desk, "read", desk.root / "answer.age")
    over = after("over")
    assert "was asked and read already" in refusal(over, "request", over.root / "setup.age")


def test_which_are_common_is_told_after_the_count_and_on_the_examiners_word_only(after: Callable[[str], Desk]) -> None:
    desk = after("setup")
    with pytest.raises(Missing, match="asked after how many"):
        desk.give("theirs", "which.age", lambda s: s.which(desk.root / "setup.age"))
    desk = after("which")
    assert "Answer with --hits" in refusal(desk, "answer", desk.root / "which.age")
    desk.give("ours", "told.age", lambda s: s.answer(desk.root / "which.age", True))
    early = after("request")
    forged = early.forged("request.age", "theirs", mode=HITS)
    assert "other members than were counted" in refusal(early, "answer", forged, tell=True)


def test_hits_are_told_of_the_counted_members_only(after: Callable[[str], Desk]) -> None:
    desk = after("which")
    identity = age_identity(desk.case("ours").age_key_path())
    message, asked = read_message(desk.root / "which.age", "request", identity,
                                  desk.case("ours").settings.seal.public_key, card_of(desk.case("theirs")))  # fmt: skip
    other = asked[33:] + asked[:33]
    (desk.root / "which.age").write_bytes(
        written(replace(message, body=_digest(other)), other, desk.case("theirs").seal_key())
    )
    assert "other members than were counted" in refusal(desk, "answer", desk.root / "which.age", tell=True)


def test_a_peer_gets_so_many_queries_in_a_case_and_no_more(after: Callable[[str], Desk]) -> None:
    desk = after("over")
    for turn in range(CAP):
        desk.give("ours", "setup.age", lambda s: s.setup(OURS))
        desk.give("theirs", "request.age", lambda s: s.request(desk.root / "setup.age", THEIRS))
        if turn < CAP - 1:
            desk.give("ours", "answer.age", lambda s: s.answer(desk.root / "request.age", False))
    assert f"has had {CAP} queries" in refusal(desk, "answer", desk.root / "request.age")


def test_a_set_larger_than_the_cap_is_neither_sent_nor_asked(after: Callable[[str], Desk]) -> None:
    desk = after("setup")
    many = [("email", f"{n}@example.com") for n in range(10_241)]
    with pytest.raises(Refused, match=r"10,241 selectors are more than 10,240"):
        desk.give("theirs", "request.age", lambda s: s.request(desk.root / "setup.age", many))
    with pytest.raises(Missing, match="nothing to compare"):
        desk.give("ours", "none.age", lambda s: s.setup([]))


def test_an_answer_to_nothing_that_was_asked_is_refused(after: Callable[[str], Desk]) -> None:
    desk = after("answer")
    forged = desk.forged("answer.age", "ours", answers="0" * 64)
    assert "answers nothing that this case asked" in refusal(desk, "read", forged)


def test_an_answer_of_another_length_is_refused(after: Callable[[str], Desk]) -> None:
    desk = after("answer")
    forged = desk.forged("answer.age", "ours", b"\2" * 33)
    assert "another number of members" in refusal(desk, "read", forged)


def test_what_is_no_card_is_refused(tmp_path: Path, moments: Path) -> None:
    good = card_of(Desk(moments / "begun").case("ours"))
    path = tmp_path / "card.toml"
    for text in ("", "agency = 1", good.dump().replace("age1", "age2"), good.dump() + 'more = "x"\n'):
        path.write_text(text, "utf-8")
        with pytest.raises(Refused, match="is no agency's card"):
            read_card(path)
    path.write_text(good.dump(), "utf-8")
    assert read_card(path) == Card(good.agency, good.sign, good.age)


def test_a_set_looks_from_outside_like_one_of_few_sizes() -> None:
    sizes = {step_above(n) for n in range(1, 1 << 14)}
    assert sorted(sizes) == [1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288,
                             14336, 16384]  # fmt: skip
    assert all(n <= step_above(n) <= max(1024, -(-n * 5 // 4)) for n in range(1, 1 << 14))
    assert all(is_step(size) for size in sizes)
    assert not is_step(1025)
    assert not is_step(512)
    filled = filled_up(["a", "b"])
    assert len(set(filled)) == 1024
    assert {"a", "b"} <= set(filled)
    assert filled_up(["a", "b"]) != filled
