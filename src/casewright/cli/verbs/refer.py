"""`casewright refer`: one sealed package for each country."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.correspondence import keep_account, note_keys, note_sealed, note_sent
from casewright.cli.recorded import check_recipients, note_codes, note_withdrawn
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import engine_named, finish, run_stages, summary, tell_stages
from casewright.engine.query import Reader
from casewright.engine.stage import Progress
from casewright.engine.units import Processes
from casewright.engine.verify import require_tables
from casewright.model.errors import Missing, UsageError
from casewright.refer import package as packages
from casewright.refer.package import Order
from casewright.refer.seal import encrypt_package
from casewright.refer.verify import is_package
from casewright.refer.words import words_of
from casewright.vault.case import Case
from casewright.vault.keys import is_public_key

QUOTED = ("opened", "sealed", "judgement")
"""Ledger lines that a package quotes: what came in, and what people decided."""


def refer(
    case: CasePath,
    country: Annotated[
        list[str] | None, typer.Option(metavar="CC", help="Only these countries.", show_default=False)
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(metavar="CC=KEY", help="age key to encrypt to; minisign key of receipts.", show_default=False),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="CC=xx", help="Language of CC's package: en, nl, de, ...", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where encrypted copies go.", show_default=False)
    ] = None,
    sent: Annotated[
        list[str] | None,
        typer.Option(metavar="CC=DAY", help="Record only: CC's package went out on this day.", show_default=False),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=CODE",
            help="Record only: ID and all that tells of it stand under this handling code; `ID=` takes it back.",
            show_default=False,
        ),
    ] = None,
    withdraw_key: Annotated[
        list[str] | None,
        typer.Option(metavar="CC=KEY", help="Record only: this key of CC counts no more.", show_default=False),
    ] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why, for --code and --withdraw-key.")] = "",
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Seal one package for each country.

    Hashes and metadata, never media."""
    voice, opened = Voice(as_json), Case(case)
    (keys, signers), spoken = _recipients(recipient or []), _languages(language or [])
    with opened.writing():
        if sent:
            _tell_sent(voice, note_sent(opened, sent))
        if code or withdraw_key:
            _tell_recorded(
                voice, [*note_codes(opened, code or [], why), *note_withdrawn(opened, withdraw_key or [], why)]
            )
            keep_account(opened)
        if sent or code or withdraw_key:
            return
        check_recipients(opened, keys)
        note_keys(opened, signers)
        ran = run_stages(opened, voice, "refer", on)
        packages = write_packages(opened, voice, country, keys, out, spoken, on)
    voice.answer(summary(opened, ran, packages=packages))
    tell_stages(voice, ran)
    for package in packages:
        voice.say(
            f"{package['package']}: {package['path']}" + "".join(f", encrypted {e}" for e in package["encrypted"])
        )
    finish(ran)


def _recipients(given: list[str]) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """age keys by country, and the minisign keys of those who sign receipts."""
    keys: dict[str, list[str]] = {}
    signers = []
    for one in given:
        country, sign, key = one.partition("=")
        if sign and is_public_key(key):
            signers.append((country.upper(), key))
        elif sign and key.startswith("age1"):
            keys.setdefault(country.upper(), []).append(key)
        else:
            raise UsageError(
                f"--recipient takes CC=KEY with an age key (age1...) or a minisign key (RW...), not {one!r}."
            )
    return keys, signers


def _tell_sent(voice: Voice, made: list[dict[str, Any]]) -> None:
    voice.answer({"sent": made})
    for one in made:
        voice.say(f"{one['package']} as sealed under {one['tagmanifest']}: sent on {one['day']}")


def _tell_recorded(voice: Voice, made: list[dict[str, Any]]) -> None:
    voice.answer({"recorded": made})
    for one in made:
        if "item" in one:
            voice.say(f"{one['item']}: {one['code'] or 'no code of its own'}, from the next packages on")
        else:
            voice.say(f"{one['country']}: the key {one['key']} counts no more")


def _languages(given: list[str]) -> dict[str, str]:
    spoken = {}
    for one in given:
        country, sign, language = one.partition("=")
        if not sign:
            raise UsageError(f"--language takes CC=xx, for example NL=nl, not {one!r}.")
        spoken[country.upper()] = words_of(language.lower()).language
    return spoken


def write_packages(
    case: Case,
    voice: Voice,
    only: list[str] | None = None,
    recipients: dict[str, list[str]] | None = None,
    out: Path | None = None,
    languages: dict[str, str] | None = None,
    on: str = ON_DEFAULT,
) -> list[dict[str, Any]]:
    """Write the packages of the current figures; the caller holds the case. Those whose seal is unchanged stay."""
    require_tables(case)
    spoken = {**case.settings.refer.languages, **(languages or {})}
    with Reader(case.tables) as reader:
        found = reader.rows("SELECT DISTINCT country, package FROM figures ORDER BY country, package")
    countries = list(dict.fromkeys(r["country"] for r in found))
    wanted = [c.upper() for c in only] if only else countries
    if strangers := sorted(set(wanted) - set(countries)):
        raise Missing(f"no referral goes to {', '.join(strangers)}. There are: {', '.join(countries) or 'none'}.")
    keys = recipients or {}
    orders = [Order(r["package"], tuple(keys.get(r["country"], ())), spoken.get(r["country"], "en"))
              for r in found if r["country"] in wanted]  # fmt: skip
    made = _write(case, voice, orders, out or case.packages, on)
    note_sealed(case, made, keys)
    _take_away(case, voice, {r["package"] for r in found})
    keep_account(case)
    return made


def _take_away(case: Case, voice: Voice, found: set[str]) -> None:
    """Packages to which nothing belongs any more, because all that was referred there was withdrawn."""
    recalled = {e.data["country"] for e in case.ledger.events("recalled")}
    for bag in sorted(case.packages.iterdir()):
        if bag.name[:2] in recalled and packages.NAME.fullmatch(bag.name) and bag.name not in found and is_package(bag):
            shutil.rmtree(bag)
            bag.with_name(f"{bag.name}.tar.age").unlink(missing_ok=True)
            voice.say(f"{bag.name}: nothing is left to refer, {bag} was taken away", style="bold")


def _write(case: Case, voice: Voice, orders: list[Order], out: Path, on: str) -> list[dict[str, Any]]:
    engine, made = engine_named(on), []
    lines = [e.line.decode("utf-8") for e in case.ledger.events(*QUOTED)]
    workers = engine.workers if isinstance(engine, Processes) else 1
    with voice.progress() as watch:
        written = packages.write_packages(orders, case.tables, lines, case.settings, case.packages, case.seal_key(),
                                          workers)  # fmt: skip
        for number, (order, bag, digest) in enumerate(written, 1):
            keys = list(order.recipients)
            encrypted = [str(encrypt_package(bag, keys, out))] if keys else []
            made.append({"country": order.name[:2], "package": order.name, "path": str(bag), "tagmanifest": digest,
                         "language": order.language, "encrypted": encrypted})  # fmt: skip
            watch(Progress("packages", number, len(orders)))
    return made
