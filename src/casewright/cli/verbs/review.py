"""`casewright review`: the room where people decide, in a browser on this machine."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.model.errors import UsageError
from casewright.vault.case import Case
from casewright.vault.keys import key_path

if TYPE_CHECKING:
    from casewright.review.serve import Public
    from casewright.review.users import Users

PROGRAM = (sys.executable, "-m", "casewright")


def review(
    case: CasePath,
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine; 0: any that is free.")] = 8710,
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Who decides; by default the case's examiner.", show_default=False),
    ] = None,
    role: Annotated[str, typer.Option(help="lead, reviewer (seals nothing) or reader (decides nothing).")] = "lead",
    most: Annotated[int, typer.Option("--a-day", metavar="N", help="Media you let yourself open a day; 0: any.")] = 150,
    work: Annotated[int, typer.Option("--break-after", metavar="MINUTES", help="When you want a break.")] = 45,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Let other machines in at this address: needs TLS and users.")
    ] = "127.0.0.1",
    called: Annotated[
        str | None, typer.Option(metavar="NAME", help="How browsers call this machine; by default the address.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate (PEM); with --tls-key.", show_default=False)
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key (PEM).", show_default=False)] = None,
    tls_made: Annotated[
        bool, typer.Option("--tls-made-here", help="Make a certificate, and print its fingerprint.")
    ] = False,
    add_user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Let somebody in with --role; asks for a password.", show_default=False),
    ] = None,
    remove_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let somebody in no more.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide in a browser on this machine.

    Open the link that is printed; it works once. Nothing is shown until you ask for it, and what you decide is in the
    ledger before the page says so. Other machines are let in with --host, over TLS, and only users that were added.
    Ctrl-C ends it."""
    from casewright.review.desk import Desk  # noqa: PLC0415  slow to import
    from casewright.review.exposure import Exposure, Limits  # noqa: PLC0415
    from casewright.review.job import Work  # noqa: PLC0415
    from casewright.review.serve import is_loopback, serve  # noqa: PLC0415
    from casewright.review.users import FILE, Users  # noqa: PLC0415
    from casewright.review.visitor import MAY, Visitor  # noqa: PLC0415

    voice, opened, users = Voice(as_json), Case(case), Users(key_path().with_name(FILE))
    if role not in MAY:
        raise UsageError(f"there is no role {role!r}. Choose one of {', '.join(MAY)}.")
    if add_user or remove_user:
        _change(users, voice, add_user, role, remove_user)
        return
    public = None if is_loopback(host) else _public(users, called or host, tls_cert, tls_key, tls_made)
    visitor = Visitor(name or opened.settings.case.examiner, role)
    exposure = Exposure(key_path().with_name("exposure.json"), Limits(most, work))
    desk = Desk(opened, exposure, Work(PROGRAM, case), alone=public is None)
    desk.check()

    def ready(link: str) -> None:
        title, told = opened.settings.case.title, {"link": link, "as": visitor.name, "role": role}
        if public:
            told = {"link": link, "fingerprint": public.certificate.fingerprint()}
            voice.say(f"Reviewing {title}. Users sign in here:\n  {link}")
            voice.say(f"SHA-256 of the certificate, to be compared in the browser:\n  {told['fingerprint']}")
        else:
            voice.say(f"Reviewing {title} as {visitor.name} ({role}). Open this link; it works once:\n  {link}")
        if as_json:
            sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    serve(desk, visitor, host, port, public, ready)


def _public(users: "Users", name: str, cert: Path | None, key: Path | None, make: bool) -> "Public":
    """What it takes to let other machines in. Raises UsageError naming what is missing."""
    from casewright.review.serve import Public  # noqa: PLC0415
    from casewright.review.tls import Certificate, made  # noqa: PLC0415

    missing = []
    if not (cert and key) and not make:
        missing.append("TLS: --tls-cert FILE and --tls-key FILE, or --tls-made-here")
    if not users.known():
        missing.append("users: casewright review CASE --add-user NAME --role ROLE")
    if name in ("0.0.0.0", "::"):  # noqa: S104  refused
        missing.append("a name by which browsers call this machine: --called NAME")
    if missing:
        raise UsageError(f"other machines are let in only with {'; and '.join(missing)}. Nothing was opened.")
    certificate = Certificate(cert, key) if cert and key else made(key_path().parent, name)
    certificate.fingerprint()
    return Public(certificate, users, name)


def _change(users: "Users", voice: Voice, added: str | None, role: str, removed: str | None) -> None:
    if added:
        users.add(added, role, _password())
        voice.say(f"{added} may come in as {role}.")
    if removed:
        users.remove(removed)
        voice.say(f"{removed} comes in no more.")


def _password() -> str:
    """From the terminal, unseen; otherwise the first line that is piped in."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
