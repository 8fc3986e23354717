"""`casewright link`: join accounts, payments, media and persons; record judgements."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.other_cases import found_cases, take_shared, tell_cases
from casewright.cli.suggestions import export_suggestions
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, run_stages, seal, summary, tell_stages
from casewright.engine.query import Reader
from casewright.link.flags import FLAGGED, Flag, flag_record
from casewright.link.judge import JUDGED, Said, judgement
from casewright.link.process import Step, process_step
from casewright.link.return_mapping import read_return_mapping
from casewright.model.errors import UsageError
from casewright.refer.letters import write_letters
from casewright.vault.case import Case

PENDING = """
SELECT l.link, l.kind, a.username AS account, p.full_name AS person, l.reason, l.against, l.weight, l.probability,
       coalesce(j.verdict, 'not judged') AS verdict,
       coalesce('account ' || a.username, c.full_name || ' (' || c.reference || ')') AS "left",
       p.full_name || ' (' || coalesce(p.reference, '') || ')' AS "right"
FROM links l
LEFT JOIN accounts a ON a.account = l.from_id
LEFT JOIN persons p ON p.person = l.to_id
LEFT JOIN persons c ON c.person = l.from_id
LEFT JOIN judgements j ON j.link = l.link AND j.stands
WHERE l.kind IN ('account-person', 'person-prior', 'person-person')
ORDER BY l.kind, account, person, l.link
"""

STYLES = {"positive": "green", "negative": "red", "unsure": "yellow"}


def link(
    case: CasePath,
    returns: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Customer records: CSV, XLSX, JSON.", show_default=False)
    ] = None,
    returns_mapping: Annotated[
        list[Path] | None,
        typer.Option(
            "--returns-mapping", metavar="FILE", help="How a service's own columns are read, TOML.", show_default=False
        ),
    ] = None,
    prior: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Subjects of earlier cases, CSV.", show_default=False)
    ] = None,
    other_case: Annotated[
        list[Path] | None,
        typer.Option("--case", metavar="DIR", help="Another case: what both have. Only read.", show_default=False),
    ] = None,
    services: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What you know of services, CSV: goes before tags.", show_default=False),
    ] = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the requests: letters and a CSV for each service.", show_default=False),
    ] = None,
    sent: Annotated[
        list[str] | None, typer.Option(metavar="REF=DAY", help="A request was sent on this day.", show_default=False)
    ] = None,
    refused: Annotated[
        list[str] | None, typer.Option(metavar="REF=DAY", help="The service refused; needs --why.", show_default=False)
    ] = None,
    empty: Annotated[
        list[str] | None,
        typer.Option(metavar="REF=DAY", help="It has no such customer; needs --why.", show_default=False),
    ] = None,
    withdrawn: Annotated[
        list[str] | None, typer.Option(metavar="REF=DAY", help="You withdrew it; needs --why.", show_default=False)
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LINK=VERDICT", help="positive, negative, unsure or withdrawn; needs --why.", show_default=False
        ),
    ] = None,
    suggestions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write who may be one person, with the reasons: a page.", show_default=False),
    ] = None,
    flag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=INDICATOR",
            help="Urgent: an account, person or medium; access or harm; needs --why.",
            show_default=False,
        ),
    ] = None,
    unflag: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=INDICATOR", help="It holds no more; needs --why.", show_default=False),
    ] = None,
    not_locating: Annotated[
        list[Path] | None,
        typer.Option(
            "--not-locating",
            metavar="FILE",
            help="Networks that locate nobody: Tor exits, hosting.",
            show_default=False,
        ),
    ] = None,
    why: Annotated[str, typer.Option(help="Your reason for these judgements; goes into the ledger.")] = "",
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Join what was found; ask services; record judgements.

    A judgement names a person; nothing else does."""
    voice, opened = Voice(as_json), Case(case)
    if judge and not why.strip():
        raise UsageError("a judgement needs a reason: add --why TEXT.")
    flags = flags_on(flag, True, why) + flags_on(unflag, False, why)
    said = [Said(*verdict_on(one, "LINK"), why) for one in judge or []]
    days = {"sent": sent, "refused": refused, "empty": empty, "withdrawn": withdrawn}
    steps = [step_on(name, text, why) for name, given in days.items() for text in given or []]
    with opened.writing():
        sealed = [seal(opened, voice, services, "services")] if services else []
        for path in returns_mapping or []:
            if path.is_file():
                read_return_mapping(path.read_bytes(), str(path))  # refused before it is sealed
            sealed.append(seal(opened, voice, path, "return mapping"))
        sealed += [seal(opened, voice, path, "return") for path in returns or []]
        sealed += [seal(opened, voice, path, "prior") for path in prior or []]
        sealed += [seal(opened, voice, path, "not locating") for path in not_locating or []]
        ran = run_stages(opened, voice, "link", on)
        if said:
            record(opened, said)
        if steps:
            note_steps(opened, steps)
        if flags:
            note_flags(opened, flags)
        sealed += [take_shared(opened, path) for path in other_case or []]
        if said or steps or flags or other_case:
            ran = run_stages(opened, voice, "link", on)
        written_page = export_suggestions(opened, suggestions, str(case)) if suggestions else None
    with Reader(opened.tables) as reader:
        pairs = reader.rows(PENDING)
        cases = found_cases(reader)
        letters = write_letters(reader, opened.settings, requests) if requests else []
    written = [{key: str(value) if isinstance(value, Path) else value for key, value in asdict(one).items()}
               for one in letters]  # fmt: skip
    voice.answer(summary(opened, ran, sealed=sealed, pairs=pairs, requests=written, suggestions=written_page,
                         case_links=cases))  # fmt: skip
    tell_stages(voice, ran)
    for one in letters:
        voice.say(
            f"{one.service}, {one.reference}: {one.lines} lines in {one.pdf}, {one.preserve.name} and {one.csv.name}"
        )
    if written_page:
        voice.say(f"{written_page['pairs']} suggested pairs, with what speaks for and against: {suggestions}")
    voice.say("Suggestions, and what people judged of them:", style="bold")
    for row in pairs:
        voice.say(
            f"{row['link']}  {row['left']} = {row['right']}?  {row['verdict']}", style=STYLES.get(row["verdict"], "")
        )
        voice.say(f"    for: {row['reason']}")
        voice.say(f"    against: {row['against']}")
    tell_cases(voice, cases)
    if any(row["verdict"] == "not judged" for row in pairs):
        voice.say(f"Judge one with: casewright link {case} --judge LINK=positive --why TEXT")
    if any(row["weight"] for row in pairs) and not written_page:
        voice.say(f"See who may be one person side by side: casewright link {case} --suggestions FILE.html")
    finish(ran)


def note_steps(case: Case, steps: list[Step]) -> None:
    """Write what was done about requests into the ledger; the caller holds the case. All or, on an error, none."""
    with Reader(case.tables) as reader:
        references = {row["reference"] for row in reader.rows("SELECT reference FROM legal_process")}
    examiner = case.settings.case.examiner
    case.ledger.append(*(("process", process_step(references, step, examiner)) for step in steps))


def note_flags(case: Case, flags: list[Flag]) -> None:
    """Write flags into the ledger; the caller holds the case. All or, on an error, none."""
    with Reader(case.tables) as reader:
        subjects = {row["id"] for row in reader.rows(FLAGGED)}
    examiner = case.settings.case.examiner
    case.ledger.append(*(("flag", flag_record(subjects, flag, examiner)) for flag in flags))


def flags_on(given: list[str] | None, is_set: bool, why: str) -> list[Flag]:
    if given and not why.strip():
        raise UsageError("a flag needs a reason: add --why TEXT.")
    parts = [text.rpartition("=") for text in given or []]
    for subject, _, indicator in parts:
        if not subject:
            raise UsageError(f"a flag is written ID=INDICATOR, not {indicator!r}.")
    return [Flag(subject, indicator, why, is_set) for subject, _, indicator in parts]


def step_on(name: str, text: str, why: str) -> Step:
    reference, sign, day = text.partition("=")
    if not sign:
        raise UsageError(f"--{name} takes REF=DAY, such as CW-0123ABCD=2026-03-31, not {text!r}.")
    return Step(reference, name, day, why)


def record(case: Case, said: list[Said]) -> None:
    """Write judgements into the ledger; the caller holds the case. All or, on an error, none."""
    with Reader(case.tables) as reader:
        links = {row["id"] for row in reader.rows(JUDGED)}
    examiner = case.settings.case.examiner
    case.ledger.append(*(("judgement", judgement(links, one, examiner)) for one in said))


def verdict_on(text: str, what: str) -> tuple[str, str]:
    one, sign, verdict = text.partition("=")
    if not sign:
        raise UsageError(f"--judge takes {what}=VERDICT, not {text!r}.")
    return one, verdict
