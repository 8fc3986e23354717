"""`casewright verify`: check every seal of a case or of a package."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson
from casewright.engine.verify import Check, verify_case
from casewright.model.errors import SEAL_BROKEN, Missing
from casewright.model.settings import CASE_FILE
from casewright.refer.verify import is_package, verify_package
from casewright.vault.case import Case


def verify(
    path: Annotated[Path, typer.Argument(metavar="CASE|PACKAGE", help="Case or package.", show_default=False)],
    key: Annotated[
        str | None, typer.Option(help="minisign public key of the sender (packages).", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every seal of a case or package.

    Ledger, evidence, tables and packages of a case, or one package alone."""
    voice = Voice(as_json)
    checks = checks_of(path, key)
    broken = [c for c in checks if c.state == "broken"]
    late = [c for c in checks if c.state == "interrupted"]
    voice.answer({"path": str(path), "holds": not broken, "checks": [asdict(c) for c in checks]})
    for check in checks:
        style = {"broken": "bold red", "interrupted": "yellow"}.get(check.state, "green")
        voice.say(f"{check.state:<12} {check.what}  {check.detail}", style=style)
    if late:
        voice.say(f"A run was interrupted. Go on with: casewright run {path}")
    voice.say("A SEAL IS BROKEN: stop, and find out why." if broken else "Every seal holds.", style="bold")
    if broken:
        raise typer.Exit(SEAL_BROKEN)


def checks_of(path: Path, key: str | None = None) -> list[Check]:
    """All checks of a case with its packages, or of one package."""
    if (path / CASE_FILE).is_file():
        case = Case(path)
        public = case.settings.seal.public_key
        packages = sorted(p for p in case.packages.iterdir() if is_package(p))
        return [*verify_case(case), *(c for p in packages for c in verify_package(p, public))]
    if is_package(path):
        return list(verify_package(path, key))
    raise Missing(f"{path} is neither a case nor a package.")
