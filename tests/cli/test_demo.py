"""The main job: one command from a seized disk to sealed packages, held against the truth."""

import hashlib
import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from casewright.engine.query import Reader
from tests.command import casewright

COUNTRIES = {"BG", "BR", "DE", "GB", "KR", "NL", "US", "ZZ"}


@pytest.fixture(scope="session")
def answer(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo.parent / "demo.json").read_text())
    return found


def digests(*folders: Path) -> dict[str, str]:
    return {
        f"{folder.name}/{p.relative_to(folder)}": hashlib.sha256(p.read_bytes()).hexdigest()
        for folder in folders
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def made(case: Path) -> dict[str, str]:
    """Tables and packages without what is kept on the way, which is whatever the last run needed of it."""
    found = digests(case / "tables", case / "packages")
    return {name: sha256 for name, sha256 in found.items() if "/.units/" not in name}


def test_the_result_is_the_truth_in_every_stage(answer: dict[str, Any]) -> None:
    assert answer["as_the_truth"] is True
    grades = {g["stage"]: (g["right"], g["wrong"], g["missed"]) for g in answer["grades"]}
    assert all(wrong == missed == 0 for _, wrong, missed in grades.values()), grades
    assert grades["payments"][0] == 64
    assert grades["services behind payments"][0] == 55
    assert grades["persons named"][0] == 23
    assert grades["media known"][0] == 22
    assert grades["media near"][0] == 108
    assert grades["media set aside"][0] == 4
    assert grades["hits of the second agency"][0] == (12 if find_spec("private_set_intersection") else 0)


def test_there_is_one_package_for_each_country(demo: Path, answer: dict[str, Any]) -> None:
    assert {p["country"] for p in answer["packages"]} == COUNTRIES
    assert {p.name for p in (demo / "packages").iterdir()} == COUNTRIES


def test_everything_received_is_done_empty_or_set_aside(demo: Path) -> None:
    with Reader(demo / "tables") as reader:
        tallies = reader.rows("SELECT * FROM tallies")
        aside = {
            (r["stage"], r["noun"]): r["n"]
            for r in reader.rows("SELECT stage, noun, sum(count)::BIGINT AS n FROM set_aside GROUP BY ALL")
        }
    assert len(tallies) > 25
    for t in tallies:
        assert t["received"] == t["done"] + t["nothing"] + t["set_aside"], t
        assert t["set_aside"] == aside.get((t["stage"], t["noun"]), 0), t


def test_the_wrong_grade_is_given_for_a_wrong_result(demo: Path) -> None:
    """So that the test of the truth can fail."""
    from casewright.demo.grade import grade

    truth = json.loads((demo / "seizure" / "truth" / "truth.json").read_text())
    truth["payments"][0]["sats"] += 1
    truth["decisions"] = truth["decisions"][1:]
    truth["media"]["known"], truth["media"]["new"] = truth["media"]["known"][1:], truth["media"]["new"]
    with Reader(demo / "tables") as reader:
        grades = {g.stage: g for g in grade(truth, reader.rows)}
    assert (grades["payments"].wrong, grades["payments"].missed) == (1, 1)
    assert grades["persons named"].wrong == 1
    assert grades["media known"].wrong == 1


def test_deleted_tables_come_back_byte_for_byte_elsewhere_in_another_zone_with_other_workers(
    demo: Path, copy: Path
) -> None:
    expected = digests(demo / "tables", demo / "packages")
    shutil.rmtree(copy / "tables")
    shutil.rmtree(copy / "packages")
    (copy / "tables").mkdir()
    (copy / "packages").mkdir()
    done = casewright("run", str(copy), "--on", "inline", TZ="Pacific/Kiritimati", LC_ALL="C.UTF-8", PYTHONHASHSEED="7")
    assert done.returncode == 3, done.stderr
    assert digests(copy / "tables", copy / "packages") == expected
    assert casewright("verify", str(copy)).returncode == 0


def test_running_again_changes_nothing(copy: Path) -> None:
    before = digests(copy / "tables", copy / "packages", copy / "store")
    done = casewright("run", str(copy), "--json")
    assert done.returncode == 3
    assert all(stage["skipped"] for stage in json.loads(done.stdout)["stages"])
    assert digests(copy / "tables", copy / "packages", copy / "store") == before


def test_a_second_intake_of_the_same_exhibit_adds_nothing(copy: Path) -> None:
    before = digests(copy / "tables", copy / "store")
    done = casewright("intake", str(copy), str(copy / "seizure" / "glasshouse.E01"), "--json")
    assert json.loads(done.stdout)["sealed"][0]["new"] is False
    assert digests(copy / "tables", copy / "store") == before


def test_a_judgement_that_is_withdrawn_takes_the_name_out_again(copy: Path) -> None:
    with Reader(copy / "tables") as reader:
        (row,) = reader.rows(
            "SELECT j.link, p.full_name, r.country FROM judgements j JOIN links l USING (link) "
            "JOIN persons p ON p.person = l.to_id JOIN referrals r ON r.person = p.person AND r.account = l.from_id "
            "WHERE j.verdict = 'positive' AND p.full_name = 'Fenna Voorbeeld' LIMIT 1"
        )
    package = copy / "packages" / row["country"] / "data" / "persons.csv"
    assert row["full_name"] in package.read_text()
    done = casewright("link", str(copy), "--judge", f"{row['link']}=unsure", "--why", "device records disagree")
    assert done.returncode in (0, 3), done.stderr
    assert casewright("refer", str(copy)).returncode in (0, 3)
    with Reader(copy / "tables") as reader:
        verdicts = reader.rows("SELECT verdict, stands FROM judgements WHERE link = $link", {"link": row["link"]})
        sql = (
            "SELECT count(*) AS n FROM referrals r JOIN links l ON l.from_id = r.account AND l.to_id = r.person "
            "WHERE l.link = $link"
        )
        named = reader.rows(sql, {"link": row["link"]})
    assert sorted((v["verdict"], v["stands"]) for v in verdicts) == [("positive", False), ("unsure", True)]
    assert named[0]["n"] == 0
