"""Files of the store are hashed alone or side by side, with the same digests; one that is not as sealed is told."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from casewright.engine.hashing import FEW, LARGE, MUCH, PIECE, ROOM, Hashing
from casewright.engine.steps import Digests
from casewright.kernels import md5
from casewright.kernels.md5 import Md5
from casewright.model.errors import BrokenSeal, Missing
from casewright.vault.store import Store

SIZES = (0, 1, 55, 56, 64, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, *range(5, 40 * ROOM, 7), 1 << 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def contents() -> list[bytes]:
    made = random.Random(1)
    return [made.randbytes(size) for size in SIZES]


def asked(hashing: Hashing, store: Store, contents: Sequence[bytes]) -> list["Future[Digests]"]:
    sealed = [(store.put([content]), len(content)) for content in contents]
    return [hashing.ask(store, sha256, size) for sha256, size in sealed]


def digests_of(content: bytes) -> Digests:
    sha256, sha1, md5 = (hashlib.new(name, content).hexdigest() for name in ("sha256", "sha1", "md5"))
    return Digests(sha256, sha1, md5, len(content))


@pytest.mark.parametrize("much", [0, MUCH], ids=["side by side", "one by one"])
def test_every_file_gets_its_own_digests(store: Store, much: int, monkeypatch: pytest.MonkeyPatch) -> None:
    together = []

    class Watched(Md5):
        def take(self, lengths: Mapping[int, int]) -> dict[int, str]:
            together.append(len(lengths))
            return super().take(lengths)

    monkeypatch.setattr(md5, "Md5", Watched)
    answers = asked(Hashing(2, much), store, contents())
    assert [answer.result(60) for answer in answers] == [digests_of(content) for content in contents()]
    assert max(together, default=0) == (0 if much else ROOM)


@pytest.mark.parametrize("much", [0, MUCH], ids=["side by side", "one by one"])
def test_a_changed_file_and_a_missing_one_are_told_and_cost_no_other(store: Store, much: int) -> None:
    found = contents()
    hashing = Hashing(1, much)
    changed, gone = store.put([b"changed"]), store.put([b"gone"])
    store.path_of(changed).chmod(0o644)
    store.path_of(changed).write_bytes(b"changes")
    store.path_of(gone).unlink()
    before = asked(hashing, store, found[:FEW])
    bad = [hashing.ask(store, sha256, 7) for sha256 in (changed, gone)]
    after = asked(hashing, store, found[FEW:])
    with pytest.raises(BrokenSeal, match="bytes were changed"):
        bad[0].result(60)
    with pytest.raises(Missing):
        bad[1].result(60)
    assert [answer.result(60) for answer in before + after] == [digests_of(content) for content in found]


def test_a_file_that_nobody_wants_any_more_keeps_no_other_waiting(store: Store) -> None:
    hashing = Hashing(1, 0)
    answers = asked(hashing, store, contents())
    unwanted = [answer for answer in answers[::2] if answer.cancel()]
    assert unwanted
    for answer, content in zip(answers, contents(), strict=True):
        assert answer.cancelled() or answer.result(60) == digests_of(content)


def test_a_large_file_is_hashed_by_itself(store: Store) -> None:
    content = bytes(LARGE + 1)
    (answer,) = asked(Hashing(1, 0), store, [content])
    assert answer.result(60) == digests_of(content)
