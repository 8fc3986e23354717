"""Which files make up what a person points at."""

import os
from pathlib import Path

import pytest

from casewright.evidence.describe import gather_source, left_out
from casewright.model.errors import Missing


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def gathered(path: Path) -> list[str]:
    base = path if path.is_dir() else path.parent
    return [str(p.relative_to(base)) for p in gather_source(path)]


def test_a_folder_gives_all_its_files_hidden_ones_too_by_the_bytes_of_their_paths(tmp_path: Path) -> None:
    fill(tmp_path, "b", "a/z", "a.txt", ".hidden/.deep", "A", "é")
    assert gathered(tmp_path) == [".hidden/.deep", "A", "a.txt", "a/z", "b", "é"]


def test_links_and_pipes_in_a_folder_are_not_sealed_but_named(tmp_path: Path) -> None:
    fill(tmp_path, "file", "folder/inside")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "up").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "pipe")
    assert gathered(tmp_path) == ["file", "folder/inside"]
    assert [p.name for p in left_out(tmp_path)] == ["link", "pipe", "up"]


@pytest.mark.parametrize(
    "names",
    [["d.E01", "d.E02", "d.E03"], ["d.e01", "d.e02"], ["d.000", "d.001", "d.002"], ["d.001", "d.002"],
     ["d.x.E01", "d.x.E02"]],
)  # fmt: skip
def test_the_first_segment_brings_its_fellows(tmp_path: Path, names: list[str]) -> None:
    fill(tmp_path, *names, "d.txt", "e.E01")
    assert gathered(tmp_path / names[0]) == names


def test_segments_go_on_past_ninety_nine(tmp_path: Path) -> None:
    names = [f"d.E{i:02d}" for i in range(1, 100)] + ["d.EAA", "d.EAB"]
    fill(tmp_path, *names)
    assert gathered(tmp_path / "d.E01") == names


def test_numbered_logs_are_no_segments(tmp_path: Path) -> None:
    fill(tmp_path, "access.log.1", "access.log.2", "d.01", "d.02")
    assert gathered(tmp_path / "access.log.1") == ["access.log.1"]
    assert gathered(tmp_path / "d.01") == ["d.01"]


def test_a_segment_missing_from_the_middle_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "d.001", "d.002", "d.005")
    with pytest.raises(Missing, match=r"d\.003 is not there, but d\.005 is"):
        gather_source(tmp_path / "d.001")
