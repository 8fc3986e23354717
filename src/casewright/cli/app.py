"""The command line: every verb, and how errors and interruptions leave it."""

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from casewright import __version__
from casewright.cli.console import safe
from casewright.cli.start import INTERRUPTED, interrupted
from casewright.cli.troubles import TROUBLES, in_words
from casewright.cli.verbs.deconflict import deconflict
from casewright.cli.verbs.demo import demo
from casewright.cli.verbs.extract import extract
from casewright.cli.verbs.intake import intake
from casewright.cli.verbs.link import link
from casewright.cli.verbs.new import new
from casewright.cli.verbs.query import query
from casewright.cli.verbs.recall import recall
from casewright.cli.verbs.receipt import receipt
from casewright.cli.verbs.refer import refer
from casewright.cli.verbs.review import review
from casewright.cli.verbs.run import run
from casewright.cli.verbs.status import status
from casewright.cli.verbs.store import store
from casewright.cli.verbs.trace import trace
from casewright.cli.verbs.triage import triage
from casewright.cli.verbs.verify import verify
from casewright.cli.verbs.why import why
from casewright.model.errors import MISSING, CasewrightError

ABOUT = """Turns a seized server into cases that hold up.

In goes a disk image; out come the payments followed, the media sorted so that children at risk come first, and one
sealed referral package for every country. Nothing leaves this computer unless you name a cluster or
shared storage. Try it: casewright demo ./demo-case

Exit codes: 0 done · 2 the command makes no sense · 3 done, but some evidence was set aside · 4 something needed is
missing · 5 a seal is broken.
"""

VERBS: tuple[Callable[..., Any], ...] = (
    demo, new, intake, extract, triage, trace, link, refer, receipt, recall, run, status, why, query, verify,
    store, deconflict, review,
)  # fmt: skip

app = typer.Typer(help=ABOUT, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
                  pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]})  # fmt: skip
for verb in VERBS:
    app.command()(verb)


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
