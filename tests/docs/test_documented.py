"""What is not documented does not exist: verbs, options, exit codes, tables, settings of the contract, ledger kinds."""

import ast
import re
import runpy
from pathlib import Path

import pytest

from casewright.cli.app import VERBS
from casewright.model import errors
from casewright.model.tables import TABLES
from tests.command import casewright

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ROOMS = {
    "model": set(),
    "kernels": {"model"},
    "vault": {"model"},
    "engine": {"model", "vault", "kernels"},
    "evidence": {"model", "vault", "engine", "kernels"},
    "extract": {"model", "vault", "engine", "kernels"},
    "media": {"model", "vault", "engine", "kernels"},
    "chain": {"model", "vault", "engine", "kernels"},
    "link": {"model", "vault", "engine"},
    "refer": {"model", "vault", "engine", "link"},
    "review": {"model", "vault", "engine", "kernels", "media", "chain", "link", "refer"},
    "demo": {"model", "kernels"},
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented_and_has_help(verb: str) -> None:
    assert f"casewright {verb}" in (DOCS / "cli.md").read_text("utf-8")
    shown = casewright(verb, "--help")
    assert shown.returncode == 0
    assert "--json" in shown.stdout
    assert VERBS[verb] in " ".join(shown.stdout.split()), "its help begins with another sentence than the list of verbs"


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    for name in ("DONE", "USAGE", "SOME_SET_ASIDE", "MISSING", "SEAL_BROKEN"):
        assert re.search(rf"^\| {getattr(errors, name)} \|", text, re.MULTILINE), name


def test_the_page_of_tables_is_what_the_contract_says() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "tables_doc.py"))["text"]()
    assert (DOCS / "tables.md").read_text("utf-8") == made, "run: just docs"
    for name in TABLES:
        assert f"## {name}\n" in made


def test_the_design_contract_of_columns_is_kept() -> None:
    """Names that other tools call; they may be added to, never renamed."""
    contract = {
        "items": "item exhibit path size sha256 sha1 md5 mime deleted",
        "media": "item kind width height seconds pdq pdq_quality camera taken_at",
        "media_matches": "item list entry method distance category",
        "worklist": "rank item state reason",
        "blocks": "hash height time transactions state",
        "transactions": "txid block coinbase",
        "inputs": "txid vin prev_txid prev_vout",
        "outputs": "txid vout sats address kind spent_by",
        "payments": "txid vout address account sats height time",
        "clusters": "address cluster",
        "cluster_reasons": "cluster txid heuristic",
        "hops": "payment direction step txid from_cluster to_cluster sats reason",
        "services": "payment direction service address txid hops confidence",
        "referrals": "country account person priority package",
    }
    for name, columns in contract.items():
        assert set(columns.split()) <= {c.name for c in TABLES[name].columns}, name
    others = (
        "exhibits set_aside accounts deposit_addresses logins uploads downloads selectors media_groups tags requests "
        "returns persons links judgements"
    )
    for name in re.findall(r"\w+", others):
        assert name in TABLES


def test_every_kind_of_ledger_line_is_documented() -> None:
    text = (DOCS / "formats" / "ledger.md").read_text("utf-8")
    sources = "".join(p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py"))
    kinds = set(re.findall(r"ledger\.append\(\s*\*?\(?\(\s*\"([a-z ]+)\"", sources))
    assert {"opened", "sealed", "stage done"} <= kinds
    for kind in kinds | {"judgement", "package sealed"}:
        assert f"| `{kind}` |" in text, kind


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return {name.split(".")[1] for name in names if name.startswith("casewright.") and name.count(".")}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_read_downwards_only(room: str) -> None:
    for path in sorted((ROOT / "src" / "casewright" / room).rglob("*.py")):
        assert imports_of(path) - {room} <= ROOMS[room], path


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), (page.name, target)


def test_the_readme_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "pip install uv && uv run casewright demo ./demo-case" in text
    assert "pip install uv && uv run pytest" in text
    assert "pip install uv && uv run pytest" in (ROOT / ".ci" / "run").read_text("utf-8")
