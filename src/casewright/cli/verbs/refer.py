"""`casewright refer`: one sealed package for each country."""

from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, reading, run_stages, summary, tell_stages
from casewright.engine.verify import require_tables
from casewright.model.errors import Missing, UsageError
from casewright.refer.package import PackageInput, write_package
from casewright.refer.seal import encrypt_package
from casewright.vault.case import Case

QUOTED = ("opened", "sealed", "judgement")
"""Ledger lines that a package quotes: what came in, and what people decided."""


def refer(
    case: CasePath,
    country: Annotated[
        list[str] | None, typer.Option(metavar="CC", help="Only these countries.", show_default=False)
    ] = None,
    recipient: Annotated[
        list[str] | None, typer.Option(metavar="CC=KEY", help="age key to encrypt CC's package to.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where encrypted copies go.", show_default=False)
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Seal one package for each country.

    Hashes and metadata, never media."""
    voice, opened = Voice(as_json), Case(case)
    keys = _recipients(recipient or [])
    with opened.writing():
        ran = run_stages(opened, voice, "refer", on)
        packages = write_packages(opened, voice, country, keys, out)
    voice.answer(summary(opened, ran, packages=packages))
    tell_stages(voice, ran)
    for package in packages:
        voice.say(
            f"{package['country']}: {package['path']}" + "".join(f", encrypted {e}" for e in package["encrypted"])
        )
    finish(ran)


def _recipients(given: list[str]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for one in given:
        country, sign, key = one.partition("=")
        if not sign or not key.startswith("age1"):
            raise UsageError(f"--recipient takes CC=KEY with an age key (age1...), not {one!r}.")
        keys.setdefault(country.upper(), []).append(key)
    return keys


def write_packages(
    case: Case,
    voice: Voice,
    only: list[str] | None = None,
    recipients: dict[str, list[str]] | None = None,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Write the packages of the current figures; the caller holds the case. Those whose seal is unchanged stay."""
    require_tables(case)
    with reading(case) as reader:
        found = [r["country"] for r in reader.rows("SELECT DISTINCT country FROM figures ORDER BY country")]
        wanted = [c.upper() for c in only] if only else found
        if strangers := sorted(set(wanted) - set(found)):
            raise Missing(f"no referral goes to {', '.join(strangers)}. There are: {', '.join(found) or 'none'}.")
        lines = [e.line.decode("utf-8") for e in case.ledger.events(*QUOTED)]
        made = []
        for country in wanted:
            keys = (recipients or {}).get(country, [])
            source = PackageInput(country, reader, lines, keys, case.settings)
            bag, digest = write_package(source, case.packages / country, case.seal_key())
            encrypted = [str(encrypt_package(bag, keys, out or case.packages))] if keys else []
            made.append({"country": country, "path": str(bag), "tagmanifest": digest, "encrypted": encrypted})
    _record(case, made, recipients or {})
    return made


def _record(case: Case, made: list[dict[str, Any]], recipients: dict[str, list[str]]) -> None:
    """Tell the ledger of packages that are new or were sealed for somebody else."""
    known = {(e.data["country"], e.data["tagmanifest"]) for e in case.ledger.events("package sealed")}
    fresh = [m for m in made if (m["country"], m["tagmanifest"]) not in known or m["encrypted"]]
    case.ledger.append(*(
        ("package sealed", {"country": m["country"], "package": Path(m["path"]).name, "tagmanifest": m["tagmanifest"],
                            "recipients": recipients.get(m["country"], [])}) for m in fresh
    ))  # fmt: skip
