"""What a visitor may do besides reading: decide, write notes, and have packages sealed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casewright.link.flags import Flag
from casewright.link.judge import Said
from casewright.model.errors import UsageError
from casewright.review.page import Ask
from casewright.review.pages import media, pairs

Form = Mapping[str, str]
LONGEST_WHY = 4_000


@dataclass(frozen=True)
class Act:
    """A form's target; `do` gives the address that is shown next."""

    path: str
    do: Callable[[Ask, Form], str]


def judge(ask: Ask, form: Form) -> str:
    """Record a verdict on a pair or a medium, and go on to the next that is open, or stay."""
    subject, seen = form.get("subject", ""), form.get("seen", "")
    if not seen.isdigit():
        raise UsageError("This form is not whole. Load the page again.")
    why = form.get("why", "").strip()[:LONGEST_WHY]
    category, dialect = form.get("category", "").strip() or None, form.get("dialect", "").strip() or None
    ask.desk.judge(ask.visitor, Said(subject, form.get("verdict", ""), why, category, dialect), int(seen))
    if subject.startswith("media/"):
        following = media.next_open(ask)
        return f"/media/{following}" if following and form.get("then") == "next" else f"/{subject}"
    following = pairs.next_open(ask)
    return f"/pairs/{following}" if following and form.get("then") == "next" else f"/pairs/{subject}"


def seal(ask: Ask, form: Form) -> str:
    """Have the packages made and sealed: `casewright refer`, as a process of its own."""
    ask.visitor.must("seal")
    country = form.get("country", "")
    if country and not (len(country) == 2 and country.isalpha() and country.isascii()):
        raise UsageError(f"{country!r} is no country.")
    ask.desk.job.start("refer", *(["--country", country.upper()] if country else []))
    return f"/packages/{country.upper()}" if country else "/packages"


def note(ask: Ask, form: Form) -> str:
    """Record a note, and stay."""
    ask.desk.note(ask.visitor, form.get("about", "")[:LONGEST_WHY], form.get("text", "").strip()[:LONGEST_WHY])
    return _back(form)


def _back(form: Form) -> str:
    """The page that the form stood on; never an address elsewhere."""
    back = form.get("back", "/")
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"


def flag(ask: Ask, form: Form) -> str:
    """Record that an account, a person or a medium is urgent, and stay."""
    why = form.get("why", "").strip()[:LONGEST_WHY]
    ask.desk.flag(ask.visitor, Flag(form.get("subject", ""), form.get("indicator", ""), why))
    return _back(form)


ACTS = (Act("/flag", flag), Act("/note", note), Act("/judge", judge), Act("/seal", seal))
