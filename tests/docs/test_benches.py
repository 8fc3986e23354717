"""Every bench is in the one table of claims or said to be apart, and the page shows what was kept."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"
HELD = ("claims", "claims_report", "told", "all", "figures", "wtv_report", "wtv_stages")
RUN = {"day": "2026-11-27", "machine": "a machine", "load": [0.1, 0.2], "commit": "abc", "seconds": 1, "command": "",
       "reason": "", "claims": []}  # fmt: skip


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield {name: import_module(name) for name in HELD}
    for name in HELD:
        sys.modules.pop(name, None)


def row(bench: dict[str, ModuleType], key: str, run: dict[str, object]) -> list[str]:
    line = next(one for one in bench["claims"].wanted() if one.key == key)
    found = bench["claims_report"].measured(line, {line.bench: {"small": {**RUN, **run}}})
    make = bench["claims_report"].row_against if line.peer else bench["claims_report"].row_alone
    return list(make(line, *found))


def test_every_program_that_measures_is_in_the_list_of_claims_or_said_to_be_apart(bench: dict[str, ModuleType]) -> None:
    texts = {path.stem: path.read_text("utf-8") for path in BENCH.glob("*.py")}
    programs = {name for name, text in texts.items() if '__name__ == "__main__"' in text}
    sides = {"all", "ours", "dissect_walk"}  # the table itself, and what evidence.py starts
    named = {one.name for one in bench["all"].BENCHES}
    assert named == {one.bench for one in bench["claims"].wanted()}
    assert programs - sides == named | set(bench["all"].APART)
    whole = "".join(texts.values())
    for name in texts.keys() - programs - sides:
        assert re.search(rf"^(?:from|import) {name}\b", whole, re.MULTILINE), f"nothing uses bench/{name}.py"


def test_the_page_shows_what_was_kept_of_every_claim(bench: dict[str, ModuleType]) -> None:
    report = bench["claims_report"]
    page = (BENCH.parent / "docs" / "performance.md").read_text("utf-8")
    assert report.write_report(report.kept(), None) == page.partition(report.BEGIN)[2].partition(report.END)[0], (
        "run: just bench-all --table --write"
    )
    listed = {(one.bench, one.key) for one in bench["claims"].wanted()}
    for name, sizes in report.kept().items():
        assert {(name, one["key"]) for run in sizes.values() for one in run["claims"]} <= listed


def test_a_row_that_was_not_measured_has_the_reason(bench: dict[str, ModuleType]) -> None:
    report = bench["claims_report"]
    assert row(bench, "rows", {"reason": "MemoryError"})[-1] == "MemoryError"
    alone = {"key": "random-flat", "ours": 0.1, "unit": "ms", "note": "faiss could not be fetched"}
    assert row(bench, "random-flat", {"claims": [alone]})[-1] == "peer not measured: faiss could not be fetched"
    for line in bench["claims"].wanted():
        claim, why = report.measured(line, report.kept())
        assert claim or why


@pytest.mark.parametrize(
    ("key", "ours", "unit", "size", "theirs", "last"),
    [
        ("walk-sha256-pytsk3", 91, "MB/s", "", 100, ["0.91", "≥ 0.9", "yes"]),
        ("walk-sha256-pytsk3", 80, "MB/s", "", 100, ["0.80", "≥ 0.9", "**no**"]),
        ("one-pass", 2, "ms", "", 200, ["100.00", "", ""]),
        ("rows", 99, "MB/s", "", None, ["99 MB/s", "≥ 100 MB/s", "**no**"]),
        ("random", 0.4, "ms", "10,000,000 random hashes", None, ["0.4 ms", "≤ 0.5 ms", "yes"]),
        ("random", 0.1, "ms", "1,000,000 random hashes", None,
         ["0.1 ms", "≤ 0.5 ms", "to be measured with 10,000,000 random hashes"]),
    ],
)  # fmt: skip
def test_a_verdict_is_given_on_the_size_that_counts(
    bench: dict[str, ModuleType], key: str, ours: float, unit: str, size: str, theirs: float | None, last: list[str]
) -> None:
    claim = {"key": key, "ours": ours, "unit": unit, "size": size, "theirs": theirs, "version": "1", "note": ""}
    assert row(bench, key, {"claims": [claim]})[-3:] == last


def test_printed_tables_are_understood_or_refused(bench: dict[str, ModuleType]) -> None:
    readers = bench["told"].READERS
    said = "| million tx | stage |\n| --- | --- |\n| 50 | payments | 20 | 30 | 1.4 | 5.6 | 0.1 | 7.5 |\n"
    claims = {one.key: (one.ours, one.size) for one in readers["chain_stages"](said, ())}
    assert claims == {"payments": (20.0, "50 million transactions"),
                      "memory": (1.4, "50 million transactions, most by payments")}  # fmt: skip
    for name, reader in readers.items():
        with pytest.raises(ValueError, match="not understood"):
            reader(f"{name} prints something else\n", ())


def test_a_peer_that_cannot_be_fetched_is_told_and_the_others_are_measured(
    bench: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = bench["all"]
    monkeypatch.setattr(every, "called", lambda command, _: ("", "no such file" if "faiss-cpu" in command else ""))
    words, missing = every.fetch(next(one for one in every.BENCHES if one.name == "search"))
    assert words[-2:] == ["--with", "usearch"]
    assert "faiss-cpu" not in words
    assert missing == "faiss-cpu could not be fetched: no such file"


@pytest.mark.parametrize(("code", "reason"), [("raise SystemExit('the disk is full')", "the disk is full"),
                                              ("import time; time.sleep(9)", "not done within 1 s")])  # fmt: skip
def test_a_bench_that_fails_has_its_last_words_for_a_reason(
    bench: dict[str, ModuleType], code: str, reason: str
) -> None:
    assert bench["all"].called([sys.executable, "-c", code], 1) == ("", reason)
