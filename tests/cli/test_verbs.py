"""A newcomer's way through the verbs, on the demo's evidence, with one JSON document from each."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyrage
import pytest

from casewright.engine.query import Reader
from tests.command import casewright, in_process


def answered(*arguments: str, code: int = 0) -> dict[str, Any]:
    done = casewright(*arguments, "--json")
    assert done.returncode == code, (arguments, done.stdout[-2000:], done.stderr[-2000:])
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_the_verbs_one_after_the_other_make_the_demo_by_hand(demo: Path, tmp_path: Path) -> None:
    case, seizure = str(tmp_path / "case"), demo / "seizure"
    answered("new", case, "--title", "T", "--agency", "A", "--examiner", "E", "--network", "regtest")
    assert "intake" in answered("status", case)["next"]
    answered("run", case, code=4)
    answered("intake", case, str(seizure / "glasshouse.E01"))
    proposal = answered("extract", case, code=4)["proposal"]
    assert answered("extract", case, "--mapping", proposal, code=3)["stages"]
    assert answered("triage", case, "--list", str(seizure / "knowns.vics.json"), code=3)["worklist"]["near"] == 127
    answered("trace", case, code=4)
    tags = [a for p in sorted((seizure / "tags").iterdir()) for a in ("--tags", str(p))]
    traced = answered("trace", case, "--chain", str(seizure / "bitcoin"), *tags)
    assert traced["payments"]["payments"] == 64
    paid = answered("query", case, "SELECT payment FROM payments ORDER BY payment LIMIT 1")["rows"][0]["payment"]
    page, graph = str(tmp_path / "flow.html"), str(tmp_path / "hops.gexf")
    drawn = answered("trace", case, "--picture", paid, page, "--graph", graph)["written"]
    assert [Path(one["file"]).stat().st_size > 2000 for one in drawn] == [True, True]
    answered("trace", case, "--graph", graph, code=2)
    answered("trace", case, "--picture", "pay-nope", str(tmp_path / "x.svg"), code=2)
    returns = [a for p in sorted((seizure / "returns").iterdir()) for a in ("--returns", str(p))]
    pairs = answered("link", case, *returns, "--prior", str(seizure / "prior.csv"), code=3)["pairs"]
    link = next(p["link"] for p in pairs if p["person"] == "Fenna Voorbeeld" and p["account"])
    answered("link", case, "--judge", f"{link}=positive", code=2)
    answered("link", case, "--judge", f"{link}=maybe", "--why", "x", code=2)
    answered("link", case, "--judge", "link-nope=positive", "--why", "x", code=4)
    person = answered("query", case, f"SELECT to_id FROM links WHERE link = '{link}'")["rows"][0]["to_id"]
    answered("link", case, "--flag", f"{person}=access", code=2)
    answered("link", case, "--flag", f"{person}=money", "--why", "x", code=2)
    answered("link", case, "--flag", "person-nope=access", "--why", "x", code=4)
    nets = tmp_path / "tor.txt"
    nets.write_text("ExitAddress 192.0.2.7 2017-01-02 03:04:05\n")
    flagged = ("--flag", f"{person}=access", "--not-locating", str(nets), "--why", "holds the keys of a depot")
    answered("link", case, *flagged, code=3)
    answered("link", case, "--judge", f"{link}=positive", "--why", "records agree", code=3)
    key = pyrage.x25519.Identity.generate()
    out = tmp_path / "usb"
    made = answered("refer", case, "--country", "NL", "--recipient", f"NL={key.to_public()}", "--out", str(out), code=3)
    assert [p["country"] for p in made["packages"]] == ["NL"]
    assert (out / "NL.tar.age").is_file()
    funnel = answered("status", case)["funnel"]
    assert (funnel["payments"], funnel["flags"], funnel["flags that move no referral"]) == (64, 1, 0)
    assert answered("query", case, "SELECT count(*) AS n FROM not_locating")["rows"] == [{"n": 1}]
    assert answered("verify", case)["holds"] is True
    rows = answered("query", case, "SELECT count(*) AS n FROM accounts")["rows"]
    assert rows == [{"n": 240}]
    assert answered("why", case, link)["steps"][0]["table"] == "links"


def test_a_digest_in_a_pipe_stands_on_one_line(demo: Path) -> None:
    said = casewright("status", str(demo)).stdout
    with Reader(demo / "tables") as reader:
        digests = [
            r["sha"] for r in reader.rows("SELECT exhibit AS sha FROM exhibits UNION SELECT stored FROM stored_hashes")
        ]
    assert len(digests) > 10
    assert all(digest in said for digest in digests)


@pytest.mark.skipif(not shutil.which("age") or not shutil.which("minisign"), reason="age or minisign is not installed")
def test_an_encrypted_package_opens_and_checks_with_stock_tools_alone(copy: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True)
    public = next(line.split(": ")[1] for line in key.read_text().splitlines() if line.startswith("# public key"))
    answered("refer", str(copy), "--country", "DE", "--recipient", f"DE={public}", "--out", str(tmp_path), code=3)
    script = (
        "age -d -i key.txt DE.tar.age | tar -x && cd DE && minisign -V -m tagmanifest-sha256.txt -P "
        f"{_sender(copy)} && sha256sum -c --quiet tagmanifest-sha256.txt && sha256sum -c --quiet manifest-sha256.txt"
    )
    subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert public in (tmp_path / "DE" / "data" / "recipient.txt").read_text()


def _sender(case: Path) -> str:
    return next(
        line.split('"')[1] for line in (case / "case.toml").read_text().splitlines() if line.startswith("public_key")
    )


@pytest.fixture(scope="module")
def mistaken(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo on which commands fail, which changes nothing."""
    target = tmp_path_factory.mktemp("mistaken") / "case"
    shutil.copytree(demo, target)
    return target


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("status", "nowhere"), 4, "is not a case"),
        (("query", "CASE", "DROP VIEW items"), 2, "one SELECT"),
        (("query", "CASE", "SELECT * FROM read_csv('/etc/passwd')"), 2, "cannot be run"),
        (("query", "CASE", "SELECT nonsense"), 2, "cannot be run"),
        (("refer", "CASE", "--country", "XX"), 4, "no referral goes to XX"),
        (("refer", "CASE", "--recipient", "NL=notakey"), 2, "age key"),
        (("run", "CASE", "--on", "moon"), 2, "no engine"),
        (("verify", "nowhere"), 4, "neither a case nor a package"),
        (("intake", "CASE", "nowhere.E01"), 4, "is not there"),
        (("intake", "CASE", "a", "b", "--exhibit", "X"), 2, "names one source"),
        (("review", "CASE", "--role", "owner"), 2, "no role"),
        (("demo", "CASE", "--scale", "enormous"), 2, "no size"),
        (("nonsense",), 2, "nonsense"),
        (("new", "CASE", "--title", "t", "--agency", "a", "--examiner", "e"), 2, "already is a case"),
    ],
)
def test_errors_say_what_and_leave_with_the_right_code(
    mistaken: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert in_process(*(str(mistaken) if a == "CASE" else a for a in arguments)) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_hostile_names_cannot_steer_the_terminal(demo: Path) -> None:
    shown = casewright("query", str(demo), "SELECT username FROM accounts").stdout
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_a_mapping_that_makes_no_sense_is_refused_before_it_is_sealed(copy: Path, tmp_path: Path) -> None:
    bad = tmp_path / "mapping.toml"
    bad.write_text('format = 1\n[accounts]\ntable = "users"\nnativ = "uid"\n')
    before = (copy / "ledger.jsonl").read_bytes()
    done = casewright("extract", str(copy), "--mapping", str(bad))
    assert done.returncode == 4
    assert "nativ" in done.stderr
    assert (copy / "ledger.jsonl").read_bytes() == before


def test_evidence_that_is_no_evidence_leaves_the_case_intact(copy: Path, tmp_path: Path) -> None:
    for name, raw in (
        ("cut.E01", (copy / "seizure" / "glasshouse.E01").read_bytes()[:100_000]),
        ("empty.img", b""),
        ("text.txt", b"hello"),
        ("bomb.gz", __import__("gzip").compress(bytes(80 << 20))),
    ):
        (tmp_path / name).write_bytes(raw)
        done = casewright("intake", str(copy), str(tmp_path / name))
        assert done.returncode in (0, 3), (name, done.stderr)
    assert casewright("verify", str(copy)).returncode == 0
    reasons = answered("query", str(copy), "SELECT DISTINCT reason FROM set_aside WHERE stage = 'items'")["rows"]
    assert {"too large"} <= {r["reason"] for r in reasons}
    assert len(reasons) >= 2
