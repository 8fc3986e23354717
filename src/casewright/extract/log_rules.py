"""What a mapping says of logs: `[logs]`, and `[[logs.application]]` for logs that the service's own programs write.

    [logs]
    user = "username"           # the user field holds usernames, natives or emails of accounts
    login_paths = ["/login"]    # requests that count as sign-ins
    download_paths = ["/media/"]# GET requests below these, by a named user, count as downloads
    year = 2018                 # of the last line of logs whose times have none, where the file has no time either

    [[logs.application]]
    files = ["*/app.log*"]      # paths, as in a shell
    line = '''(?P<time>\\S+ \\S+) \\w+ user=(?P<user>\\S+) ip=(?P<ip>\\S+) (?P<action>\\w+)(?: (?P<reference>\\S+))?'''
    time = "%d.%m.%Y %H:%M:%S"  # by default YYYY-MM-DD hh:mm:ss and the like, or Unix; "syslog" for those of syslog
    zone = "Europe/Berlin"      # of times that name none; by default extract.assumed_zone
    user = "native"             # by default that of [logs]
    login = ["signed_in"]       # which actions mean what; or every = "login", without an action in the line
    logout = ["signed_out", "timed_out"]

A pattern must fit the whole line. Patterns are RE2's (https://github.com/google/re2/wiki/Syntax), which take time in
proportion to the line whatever the line holds: there is no looking around and no referring back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from casewright.model.errors import Refused

USER_FIELDS = ("username", "native", "email")
GROUPS = ("time", "user", "ip", "port", "session", "action", "reference", "agent")
ACTS = ("login", "logout", "download", "upload")
WRITTEN, UNIX, SYSLOG = "", "unix", "syslog"
"""Forms of times that are no format: told by the value itself, which Unix times are too; a stamp of syslog."""
PATTERN_LIMIT = 4096


@dataclass(frozen=True)
class Application:
    """A pattern for lines of an application's log.

    `line` has named groups, some of `GROUPS`. `means`: what each value of the group `action` means, of `ACTS`; `every`:
    what each line means where there is no such group. `zone` None: `extract.assumed_zone`.
    """

    files: tuple[str, ...]
    line: str
    time: str = WRITTEN
    zone: str | None = None
    user: str = "username"
    means: Mapping[str, str] = field(default_factory=dict)
    every: str | None = None

    def takes(self, name: str) -> bool:
        """Whether the item with this printable path is such a log."""
        return any(fnmatchcase(name, pattern) for pattern in self.files)


@dataclass(frozen=True)
class LogRules:
    user: str = "username"
    login_paths: tuple[str, ...] = ()
    download_paths: tuple[str, ...] = ()
    year: int | None = None
    applications: tuple[Application, ...] = ()

    def applications_of(self, name: str) -> tuple[Application, ...]:
        """The patterns for the item with this printable path, in their order."""
        return tuple(application for application in self.applications if application.takes(name))


def read_log_rules(section: Any, where: str) -> LogRules:
    """The section `[logs]`. Raises Refused naming what makes no sense."""
    known = {"user", "login_paths", "download_paths", "year", "application"}
    if not isinstance(section, dict) or (unknown := section.keys() - known):
        raise Refused(f"{where} [logs]: knows {', '.join(sorted(known))} only, not {sorted(unknown)}.")
    user = section.get("user", "username")
    paths = {name: _texts(section.get(name, []), name, f"{where} [logs]") for name in ("login_paths", "download_paths")}
    if user not in USER_FIELDS:
        raise Refused(f"{where} [logs]: user must be one of {', '.join(USER_FIELDS)}.")
    year = section.get("year")
    if year is not None and (type(year) is not int or not 1970 <= year <= 2100):
        raise Refused(f"{where} [logs]: year must be a year, as 2018.")
    found = section.get("application", [])
    if not isinstance(found, list):
        raise Refused(f"{where}: write [[logs.application]], in two pairs of brackets.")
    applications = tuple(_application(one, user, f"{where} [[logs.application]] {n}") for n, one in enumerate(found, 1))
    return LogRules(user, paths["login_paths"], paths["download_paths"], year, applications)


def _texts(value: Any, name: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Refused(f"{where}: {name} must be a list of texts, in quotes.")
    return tuple(value)


def _application(section: Any, user: str, where: str) -> Application:
    known = {"files", "line", "time", "zone", "user", "every", *ACTS}
    if not isinstance(section, dict) or (unknown := section.keys() - known):
        raise Refused(f"{where}: knows {', '.join(sorted(known))} only, not {sorted(unknown)}.")
    texts = {name: section[name] for name in ("line", "time", "zone", "user", "every") if name in section}
    if not all(isinstance(text, str) for text in texts.values()) or "line" not in texts:
        raise Refused(f"{where}: needs line, a pattern in quotes; time, zone, user and every are texts too.")
    means = {value: act for act in ACTS for value in _texts(section.get(act, []), act, where)}
    made = Application(_texts(section.get("files", []), "files", where), texts["line"], _form(texts, where),
                       texts.get("zone"), texts.get("user", user), means, texts.get("every"))  # fmt: skip
    for complaint in _complaints(made):
        raise Refused(f"{where}: {complaint}")
    return made


def _form(texts: Mapping[str, str], where: str) -> str:
    """How times are written. A format must give back a moment that it wrote, year and all."""
    form = texts.get("time", WRITTEN)
    if form in (WRITTEN, UNIX, SYSLOG):
        return form.removeprefix(UNIX)
    moment = datetime(2018, 11, 3, 14, 5, 6, tzinfo=UTC)
    try:
        same = datetime.strptime(moment.strftime(form), form).replace(tzinfo=UTC) == moment
    except ValueError:
        same = False
    if not same:
        raise Refused(f"{where}: time must be like %d.%m.%Y %H:%M:%S, with the year and down to seconds, or syslog.")
    return form


def _complaints(made: Application) -> Iterator[str]:
    """What makes no sense in a pattern."""
    if not made.files:
        yield 'needs files, as files = ["*/app.log*"].'
    try:
        groups = groups_of(made.line)
    except ValueError as error:
        yield str(error)
        return
    if unknown := groups - set(GROUPS):
        yield f"line has a group {sorted(unknown)}. Known: {', '.join(GROUPS)}."
    if "time" not in groups:
        yield "line needs a group (?P<time>...)."
    if made.user not in USER_FIELDS:
        yield f"user must be one of {', '.join(USER_FIELDS)}."
    acts = set(made.means.values()) | ({made.every} if made.every else set())
    if ("action" in groups) == bool(made.every) or not acts or not acts <= set(ACTS):
        yield f"say what the values of the group action mean ({', '.join(ACTS)}), or every = one of these without it."
    if acts & {"download", "upload"} and "reference" not in groups:
        yield "line needs a group (?P<reference>...), what was transferred."
    if made.zone is not None:
        try:
            ZoneInfo(made.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield f"there is no zone {made.zone!r}; they are named as Europe/Berlin."


def groups_of(line: str) -> set[str]:
    """Names of the groups of a pattern. Raises ValueError saying why it is none."""
    if len(line) > PATTERN_LIMIT:
        raise ValueError(f"line is longer than {PATTERN_LIMIT} characters.")
    try:
        return {entry.name for entry in pc.extract_regex(pa.array([""]), whole(line)).type}
    except pa.ArrowInvalid as error:
        raise ValueError(f"line is no pattern: {error}. A group without a name is written (?:...).") from error


def whole(line: str) -> str:
    """The pattern for a line from its beginning to its end."""
    return rf"\A(?:{line})\z"
