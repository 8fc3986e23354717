"""`casewright run`: everything whose inputs changed, in order."""

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.verbs.refer import write_packages
from casewright.cli.work import exit_code, run_stages, summary, tell_stages
from casewright.model.errors import Missing
from casewright.vault.case import Case


def run(case: CasePath, on: On = ON_DEFAULT, as_json: AsJson = False) -> None:
    """Run whatever is out of date, in order.

    Every stage whose inputs changed, and then the packages. Safe to stop and run again."""
    voice, opened = Voice(as_json), Case(case)
    with opened.writing():
        if not any(e.data["role"] == "seizure" for e in opened.ledger.events("sealed")):
            raise Missing(f"nothing was sealed yet. Run: casewright intake {case} SOURCE")
        ran = run_stages(opened, voice, "run", on)
        packages = write_packages(opened, voice)
    voice.answer(summary(opened, ran, packages=packages))
    tell_stages(voice, ran)
    done = sum(not r.skipped for r in ran)
    voice.say(f"{done} stages run, {len(ran) - done} were current; {len(packages)} packages.")
    raise typer.Exit(exit_code(ran))
