"""What was judged once anywhere in the case is not shown again: no copy of it, no version, nor in new evidence."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import casewright
from tests.kernels.test_pdq import scene
from tests.media.test_media import encoded
from tests.media.test_nsrl import done, rows

QUEUE = "SELECT name, w.item FROM worklist w JOIN items USING (item) WHERE opens ORDER BY rank"


def opened(case: str) -> dict[str, str]:
    return {row["name"].rpartition("/")[2]: row["item"] for row in rows(case, QUEUE)}


def refused(arguments: list[str], code: int) -> None:
    assert casewright(*arguments, "--json").returncode == code


@pytest.mark.slow
def test_a_judged_medium_leaves_the_queue_for_good(tmp_path: Path) -> None:
    case, source, more = str(tmp_path / "case"), tmp_path / "source", tmp_path / "more"
    source.mkdir()
    more.mkdir()
    one, other = encoded(scene(400, 300), quality=90), encoded(scene(320, 320).rotate(31))
    for name, raw in (("one", one), ("copy", one), ("again", encoded(scene(400, 300), quality=50)), ("other", other)):
        (source / f"{name}.jpg").write_bytes(raw)
    (more / "one of another disk.jpg").write_bytes(one)
    (more / "saved anew.jpg").write_bytes(encoded(scene(400, 300), quality=70))
    done(["new", case, "--title", "T", "--agency", "A", "--examiner", "R. Example"])
    done(["intake", case, str(source)])
    before = done(["triage", case])["to_open"]
    assert (before["items"], before["open"], before["states"]) == (4, 2, {"new": 2})
    queue = opened(case)
    item = queue.pop("one.jpg", None) or queue.pop("copy.jpg", None) or queue.pop("again.jpg")
    refused(["triage", case, "--judge", f"{item}=negative"], 2)
    refused(["triage", case, "--judge", item, "--why", "x"], 2)
    refused(["triage", case, "--judge", "item-nope=negative", "--why", "x"], 4)
    assert set(queue) == {"other.jpg"}
    after: Any = done(["triage", case, "--judge", f"{item}=negative", "--why", "a garden"])["to_open"]
    assert (after["open"], after["judged"], after["percent"]) == (1, 3, 25.0)
    assert set(opened(case)) == {"other.jpg"}
    done(["intake", case, str(more)])
    done(["triage", case])
    assert set(opened(case)) == {"other.jpg"}
    assert done(["status", case])["to_open"] == {
        "items": 6, "open": 1, "judged": 5, "percent": 16.7, "states": {"new": 1}}  # fmt: skip
    said = rows(case, "SELECT DISTINCT verdict, judgement, rank FROM worklist WHERE judgement IS NOT NULL")
    assert [(s["verdict"], s["rank"]) for s in said] == [("negative", None)]
    steps = json.dumps(done(["why", case, said[0]["judgement"]]))
    assert f"media/{item}" in steps
    done(["triage", case, "--judge", f"{item}=unsure", "--why", "look again"])
    assert len(opened(case)) == 2
    done(["verify", case])


@pytest.mark.slow
def test_a_category_that_somebody_chose_goes_out_in_its_dialect(tmp_path: Path) -> None:
    case, source = str(tmp_path / "case"), tmp_path / "source"
    source.mkdir()
    (source / "one.jpg").write_bytes(encoded(scene(400, 300), quality=90))
    (source / "other.jpg").write_bytes(encoded(scene(320, 320).rotate(31)))
    done(["new", case, "--title", "T", "--agency", "A", "--examiner", "R. Example"])
    done(["intake", case, str(source)])
    done(["triage", case])
    queue, judge = opened(case), ["triage", case, "--why", "a garden"]
    refused(["triage", case, "--category", "3"], 2)
    refused([*judge, "--judge", f"{queue['one.jpg']}=negative", "--dialect", "http://example.org/UK/"], 2)
    done([*judge, "--judge", f"{queue['one.jpg']}=negative", "--category", "3"])
    done(
        [*judge, "--judge", f"{queue['other.jpg']}=negative", "--category", "4", "--dialect", "http://example.org/UK/"]
    )
    done(["triage", case, "--vics", str(tmp_path / "out.json")])
    media = json.loads((tmp_path / "out.json").read_text())["value"][0]["Media"]
    said = {m["RelativeFilePath"].rpartition("\\")[2]: (m["Category"], m["Comments"]) for m in media}
    assert said["one.jpg"][0] == 3
    assert said["other.jpg"][0] is None
    assert "http://example.org/UK/" in said["other.jpg"][1]
    assert all("R. Example" in comment for _, comment in said.values())
