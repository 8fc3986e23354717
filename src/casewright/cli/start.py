"""Where the program begins: nothing slow is imported before Ctrl-C can be answered in a sentence."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Entry point: runs a verb, and leaves with its exit code."""
    try:
        from casewright.cli.app import run_app  # noqa: PLC0415  takes a moment, in which somebody may think again

        code = run_app(sys.argv[1:])
    except KeyboardInterrupt:
        code = interrupted()
    sys.exit(code)


def interrupted() -> int:
    """Says what a person wants to know who has stopped a command; gives the exit code."""
    sys.stderr.write("\nStopped. Nothing is lost: what was finished is kept, run the same command to go on.\n")
    return INTERRUPTED
