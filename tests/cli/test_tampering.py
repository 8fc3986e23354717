"""Whatever is changed under a case or a package is caught and named, and everything stops."""

import random
import shutil
from pathlib import Path

import pytest

from casewright.cli.verbs.verify import checks_of
from tests.command import casewright, in_process


def broken(path: Path) -> list[str]:
    return [f"{c.what} {c.detail}" for c in checks_of(path) if c.state == "broken"]


def flip(path: Path, at: int, mask: int = 1) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= mask
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(raw)
    path.chmod(mode)


def test_an_untouched_case_holds(demo: Path) -> None:
    assert broken(demo) == []
    assert in_process("verify", str(demo)) == 0


def test_a_flipped_byte_in_any_sealed_file_is_named(copy: Path) -> None:
    dice = random.Random(2)
    for path in dice.sample(sorted(p for p in (copy / "store").rglob("*") if p.is_file() and p.stat().st_size), 6):
        at = dice.randrange(path.stat().st_size)
        flip(path, at)
        assert any(f"{path.parent.name}/{path.name}" in b and "bytes were changed" in b for b in broken(copy)), path
        flip(path, at)
    assert broken(copy) == []


def test_a_flipped_byte_in_any_table_is_named(copy: Path) -> None:
    """One byte of every file at once, first of the parts and then of the manifests: each must be named."""
    dice = random.Random(3)
    files = [p for p in sorted((copy / "tables").rglob("*")) if p.is_file()]
    for lot in ([p for p in files if p.suffix == ".parquet"], [p for p in files if p.suffix != ".parquet"]):
        spots = [(path, dice.randrange(path.stat().st_size)) for path in lot]
        for path, at in spots:
            flip(path, at)
        named = broken(copy)
        assert [path for path in lot if not any(path.parent.name in b for b in named)] == []
        for path, at in spots:
            flip(path, at)
    assert broken(copy) == []


def test_every_byte_of_a_run_manifest_counts(copy: Path) -> None:
    path = copy / "tables" / "payments" / "run.json"
    for at in range(0, path.stat().st_size, 37):
        flip(path, at)
        assert any("tables/payments" in b for b in broken(copy)), at
        flip(path, at)


def test_a_changed_table_stops_what_reads_it(copy: Path) -> None:
    part = next((copy / "tables" / "links").glob("part-*.parquet"))
    flip(part, part.stat().st_size // 2)
    shutil.rmtree(copy / "tables" / "referrals")
    done = casewright("refer", str(copy))
    assert done.returncode == 5
    assert "links/part-000000.parquet: bytes were changed" in done.stderr


@pytest.mark.parametrize("table", ["figures", "payments", "tallies"])
def test_no_package_is_written_from_a_changed_table(copy: Path, table: str) -> None:
    part = next((copy / "tables" / table).glob("part-*.parquet"))
    flip(part, part.stat().st_size // 2)
    done = casewright("run", str(copy))
    assert done.returncode == 5
    assert part.name in done.stderr


def test_a_removed_or_added_file_is_named(copy: Path) -> None:
    stored = next(p for p in (copy / "store").rglob("*") if p.is_file())
    stored.unlink()
    (copy / "tables" / "payments" / "part-000009.parquet").write_bytes(b"x")
    (copy / "packages" / "NL" / "data" / "more.txt").write_text("x")
    (copy / "packages" / "DE" / "data" / "referral.pdf").unlink()
    found = "\n".join(broken(copy))
    assert stored.name in found
    assert "part-000009.parquet: is not part of the table" in found
    assert "more.txt is in no manifest" in found
    assert "package DE: data/referral.pdf is gone" in found


def test_any_flipped_byte_of_a_package_is_named(copy: Path) -> None:
    dice = random.Random(4)
    bag = copy / "packages" / "BG"
    for path in sorted(p for p in bag.rglob("*") if p.is_file()):
        size = path.stat().st_size
        spots = range(size) if size < 400 and path.parent == bag else [dice.randrange(size) for _ in range(3)]
        for at in spots:
            flip(path, at)
            name = path.relative_to(bag).as_posix()
            assert any(name in b for b in broken(bag)) or (name.endswith(".txt") and broken(bag)), (name, at)
            flip(path, at)
    assert broken(bag) == []


@pytest.mark.parametrize("what", ["cut", "swap", "flip"])
def test_a_ledger_that_was_touched_stops_every_command(copy: Path, what: str) -> None:
    path = copy / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if what == "cut":
        lines = lines[:-1]
    elif what == "swap":
        lines[5], lines[6] = lines[6], lines[5]
    else:
        lines[4] = lines[4].replace(b"a", b"b", 1)
    path.write_bytes(b"".join(lines))
    for verb in ("verify", "run", "status"):
        done = casewright(verb, str(copy))
        assert done.returncode == 5, (verb, done.stderr)
        assert "ledger.jsonl" in done.stdout + done.stderr
