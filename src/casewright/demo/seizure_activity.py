"""What the market's members did, as its server knew it: plain rows for the database and the logs.

Taken from the operation; user agents, which it leaves open, are drawn here from a fixed seed.
Times are UTC without a zone.
"""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from casewright.demo.operation import Operation, build_operation

SEED = 1852
AGENTS = (
    "Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:45.0) Gecko/20100101 Firefox/45.0",
    'Mozilla/5.0 (compatible; "quoted\\agent")',
    "curl/7.52.1",
)


@dataclass(frozen=True)
class Member:
    uid: int
    nick: str
    mail: str
    joined: datetime
    ip: str
    address: str
    agent: str


@dataclass(frozen=True)
class Act:
    """A sign-in, an upload or a download; `media` is the media number, 0 for a sign-in."""

    uid: int
    at: datetime
    ip: str
    media: int = 0


@dataclass(frozen=True)
class Activity:
    members: tuple[Member, ...]
    sign_ins: tuple[Act, ...]
    uploads: tuple[Act, ...]
    downloads: tuple[Act, ...]


def build_activity(operation: Operation | None = None) -> Activity:
    """What the server of `operation` (the demo's own when none is given) recorded."""
    known = operation or build_operation()
    dice = Random(SEED)  # noqa: S311 (user agents, not secrets)
    members = tuple(
        Member(a.number, a.username, a.email, a.registered_at, a.registered_ip, a.deposit_address, dice.choice(AGENTS))
        for a in known.accounts
    )
    return Activity(
        members,
        tuple(Act(number, at, ip) for number, at, ip in known.logins),
        tuple(Act(t.account, t.time, t.ip, t.media) for t in known.uploads),
        tuple(Act(t.account, t.time, t.ip, t.media) for t in known.downloads),
    )
