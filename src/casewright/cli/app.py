"""The command line: every verb, and how errors and interruptions leave it.

A verb's module is imported when that verb is asked for: all of them together take seconds, most of which one verb has
no use for.
"""

import json
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from casewright import __version__
from casewright.cli.console import safe
from casewright.cli.start import INTERRUPTED, interrupted
from casewright.cli.troubles import TROUBLES, in_words
from casewright.model.errors import MISSING, CasewrightError

ABOUT = """Turns a seized server into cases that hold up.

In goes a disk image; out come the payments followed, the media sorted so that children at risk come first, and one
sealed referral package for every country. Nothing leaves this computer unless you name a cluster or
shared storage. Try it: casewright demo ./demo-case

Exit codes: 0 done · 2 the command makes no sense · 3 done, but some evidence was set aside · 4 something needed is
missing · 5 a seal is broken.
"""

VERBS = {
    "demo": "Build a fictional operation and run everything.",
    "new": "Make an empty case.",
    "intake": "Seal evidence and list every file in it.",
    "extract": "Read accounts, addresses, logs, selectors and wallets.",
    "triage": "Judge media against hash lists.",
    "trace": "Find the payments and follow them both ways.",
    "link": "Join what was found; ask services; record judgements.",
    "refer": "Seal one package for each country.",
    "receipt": "Take receipts in: which package was confirmed, by whom, and what became of it.",
    "recall": "Withdraw or correct what was sent, with a signed notice to exactly those who have it.",
    "run": "Run whatever is out of date, in order.",
    "status": "Show what came in, and what to do next.",
    "why": "Walk any figure back to its bytes.",
    "query": "Ask the tables a question in SQL.",
    "verify": "Check every seal of a case or package.",
    "store": "Copy a case's bytes to shared storage, or back.",
    "deconflict": "Compare with another agency.",
    "review": "Decide in a browser on this machine.",
}
"""Every verb, in the order in which a case needs them, and the sentence its own help begins with."""
LIKE_ALL: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False,
                            "context_settings": {"help_option_names": ["-h", "--help"]}}  # fmt: skip


class Verbs(TyperGroup):
    """Knows of each verb its name and its sentence, until one is asked for."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {verb: TyperCommand(verb, help=sentence) for verb, sentence in VERBS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        verb, command, rest = super().resolve_command(ctx, args)
        return verb, command and _imported(command.name), rest


def _imported(verb: Any) -> Any:
    """The command with its options, which stand in the verb's own file."""
    alone = typer.Typer(**LIKE_ALL)
    alone.command(verb)(getattr(import_module(f"casewright.cli.verbs.{verb}"), verb))
    return typer.main.get_command(alone)


app = typer.Typer(cls=Verbs, help=ABOUT, no_args_is_help=True, **LIKE_ALL)


@app.callback(invoke_without_command=True)
def _about(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(f"casewright {__version__}")
        raise typer.Exit


def run_app(arguments: list[str]) -> int:
    """The exit code of one command: what a person should read becomes one message."""
    try:
        code = app(args=arguments, prog_name="casewright", standalone_mode=False)
        return interrupted() if code == INTERRUPTED else code if isinstance(code, int) else 0
    except CasewrightError as error:
        _fail(arguments, str(error), error.exit_code)
        return error.exit_code
    except typer.TyperException as error:
        _fail(arguments, f"{error.format_message()} Try: casewright --help", error.exit_code)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return interrupted()
    except BrokenPipeError:
        return 0
    except TROUBLES as trouble:
        _fail(arguments, in_words(trouble), MISSING)
        return MISSING


def _fail(arguments: list[str], message: str, code: int) -> None:
    sys.stderr.write(f"casewright: {safe(message)}\n")
    if "--json" in arguments:
        sys.stdout.write(json.dumps({"error": message, "exit": code}) + "\n")
