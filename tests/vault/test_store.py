"""The store keeps sealed bytes by their digest, once, and leaves nothing half written."""

import hashlib
import os
from pathlib import Path

import pytest

from casewright.model.errors import BrokenSeal, Missing
from casewright.vault.case import Case, SourceFile
from casewright.vault.sealing import Sealing
from casewright.vault.store import Store


def test_bytes_are_found_by_their_digest_and_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, again = store.put([b"a museum ", b"scan"]), store.put([b"a museum scan"])
    assert first == again == hashlib.sha256(b"a museum scan").hexdigest()
    assert list(store.objects()) == [first]
    with store.open(first) as file:
        assert file.read() == b"a museum scan"
    assert store.path_of(first).stat().st_mode & 0o777 == 0o444


def test_a_source_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    def failing() -> object:
        yield b"half"
        raise OSError("the disk went away")

    store = Store(tmp_path)
    with pytest.raises(OSError, match="went away"):
        store.put(failing())  # type: ignore[arg-type]
    assert not list(store.objects())
    assert not any((tmp_path / "tmp").iterdir())


def test_a_large_source_is_sealed_where_it_lies(tmp_path: Path) -> None:
    source = tmp_path / "disk\udcff.img"
    source.write_bytes(b"x" * 5000)
    store = Store(tmp_path / "store")
    digest, _ = Sealing(store).seal(source, copy=False)
    with store.open(digest) as file:
        assert file.read() == b"x" * 5000
    source.write_bytes(b"x" * 4999)
    with pytest.raises(BrokenSeal, match="4999 bytes, 5000 were sealed"):
        store.open(digest)
    source.unlink()
    with pytest.raises(Missing, match="Attach the disk"):
        store.open(digest)


def test_bytes_that_were_never_sealed_are_missed_by_name(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="0123"):
        Store(tmp_path).open("0123" * 16)


def test_sealing_the_same_source_twice_adds_nothing(case: Case, tmp_path: Path) -> None:
    source = tmp_path / "list.json"
    source.write_bytes(b"{}")
    with case.writing():
        assert case.seal_source([SourceFile(source, b"")], "list", "list.json")
        before = case.ledger.path.read_bytes()
        assert case.seal_source([SourceFile(source, b"")], "list", "renamed.json") is None
        assert case.ledger.path.read_bytes() == before


def test_a_folder_is_bound_by_a_manifest_with_raw_names(case: Case, tmp_path: Path) -> None:
    name = b"caf\xe9.txt"
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"1")
    with case.writing():
        event = case.seal_source([SourceFile(path, name), SourceFile(path, b"b/" + name)], "seizure", "folder")
    assert event
    assert event.data["form"] == "folder"
    with case.store.open(event.data["exhibit"]) as file:
        assert name.hex().encode() in file.read()


def test_a_setting_that_is_misspelt_is_refused_by_name(case: Case) -> None:
    from casewright.model.errors import Refused
    from casewright.model.settings import Settings

    path = case.root / "case.toml"
    path.write_text(path.read_text().replace("pdq_distance", "pdq_distanse"))
    with pytest.raises(Refused, match="pdq_distanse"):
        Settings.load(case.root)


def test_settings_are_sealed_anew_when_they_change_and_only_then(case: Case) -> None:
    path = case.root / "case.toml"
    with case.writing():
        case.seal_settings()
    assert len(case.ledger.events("sealed")) == 1
    path.write_text(path.read_text().replace("pdq_distance = 31", "pdq_distance = 20"))
    with case.writing():
        case.seal_settings()
    assert len(case.ledger.events("sealed")) == 2
