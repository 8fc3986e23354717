"""The array that the members of a Linux software RAID (md) make: who sits where in it, and what reads its bytes.

Source: drivers/md/md.c (what validates superblocks) for which members count as up to date.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk, Slice
from casewright.evidence.readers.raid_layout import ON_Q, Copies, Joined, Layout, Parity, Part, Striped, Stripes
from casewright.evidence.readers.raid_superblock import (
    ALIGNED_90,
    JOURNALED,
    MOST_MEMBERS,
    RAID0_LAYOUT,
    RESHAPING,
    Member,
)

LINEAR = -1
LEVELS = {LINEAR: "linear RAID", 0: "RAID 0", 1: "RAID 1", 4: "RAID 4", 5: "RAID 5", 6: "RAID 6", 10: "RAID 10"}
PARITY_MEMBERS = {4: (2, MOST_MEMBERS), 5: (2, MOST_MEMBERS), 6: (4, 254)}  # fewest and most
ROTATIONS = ("left-asymmetric", "right-asymmetric", "left-symmetric", "right-symmetric", "parity-first", "parity-last")
RAID0_LAYOUTS = {1: "original", 2: "alternate"}
LOST = "what it lacks can not be read"
UNKNOWN = ~((RAID0_LAYOUT << 1) - 1)


@dataclass(frozen=True)
class Assembled:
    """An array as a disk, what it is, and what a reader of its bytes has to know."""

    disk: Disk
    said: str
    problems: tuple[str, ...]


def assemble(members: Sequence[Member]) -> Assembled:
    """The array that these members of it make. Raises Unreadable, by name, when it can't be read soundly."""
    distinct, problems = _without_copies(members)
    newest = _newest(distinct)
    _refuse(newest)
    seats, excluded = _seats(distinct, newest)
    problems += excluded + [f"{m.called} carries two superblocks: {note}" for m in distinct for note in m.notes]
    arrange = _without_redundancy if newest.level in (LINEAR, 0) else _with_redundancy
    assembled = arrange(newest, seats, problems)
    if not assembled.disk.size:
        raise Unreadable("damaged", f"{_named(newest)} has no room for a single chunk of {newest.chunk} bytes")
    return assembled


def _without_copies(members: Sequence[Member]) -> tuple[list[Member], list[str]]:
    """A superblock seen twice counts once. Seen on a disk and on a partition at its end, it is the partition's."""
    distinct, notes = dict[str, Member](), list[str]()
    for member in sorted(members, key=lambda m: m.disk.size):
        first = distinct.setdefault(member.digest, member)
        if _place(first) != _place(member):
            notes.append(f"two disks carry the superblock of {member.called}; the smaller or first of them is read")
    return list(distinct.values()), notes


def _place(member: Member) -> tuple[int, int]:
    """The disk underneath, and where a superblock 0.90 stands there: the same for a disk and a partition at its end."""
    disk: Any = member.disk
    at = disk.size // ALIGNED_90 * ALIGNED_90
    while isinstance(disk, Slice):
        at, disk = at + disk.start, disk.disk
    return id(disk), at


def _newest(members: Sequence[Member]) -> Member:
    """The member that judges the others. Members that are equally new must agree about each other."""
    active = sorted((m for m in members if m.state == "active"), key=lambda m: (-m.events, m.role))
    if not active:
        only = ", ".join(f"device {m.number} ({m.state})" for m in members)
        raise Unreadable("not supported", f"{_named(members[0])} without any member in use: only {only}")
    newest = active[0]
    for other in active[1:]:
        if other.events == newest.events and not (newest.knows(other) and other.knows(newest)):
            who = f"{newest.called} and {other.called} disagree about who has failed"
            raise Unreadable("not supported", f"{_named(newest)}: {who}, and both have come to event {newest.events}")
    return newest


def _named(member: Member) -> str:
    return f"{LEVELS.get(member.level, f'RAID of level {member.level}')} {member.name!r}"


def _refuse(newest: Member) -> None:
    """What no arrangement of members makes readable."""
    m, why = newest, ""
    fewest, most = PARITY_MEMBERS.get(m.level, (1, MOST_MEMBERS))
    if m.level not in LEVELS:
        why = "which is not read"
    elif m.features & UNKNOWN:
        why = f"with features ({m.features:#x}) of which some are unknown"
    elif m.features & RESHAPING:
        why = "in the middle of a change of its shape (reshape)"
    elif not fewest <= m.members <= most:
        why = f"with {m.members} members"
    elif (m.level == 5 and m.layout > 5) or (m.level == 6 and m.layout not in (*range(6), *range(ON_Q, ON_Q + 5))):
        why = f"with layout {m.layout}"
    elif m.level == 10 and not _turns_round(m):
        why = f"with layout {m.layout:#x}"
    if why:
        raise Unreadable("not supported", f"{_named(m)} {why}")


def _copies(layout: int) -> tuple[int, int, bool]:
    """A RAID 10's near copies, its far copies, and whether these lie in the next row (offset)."""
    return layout & 255, layout >> 8 & 255, bool(layout >> 16 & 1)


def _turns_round(m: Member) -> bool:
    """Whether a RAID 10 has near copies or far ones, not both, and keeps far ones to no sets of members."""
    near, far, _ = _copies(m.layout)
    return min(near, far) == 1 and max(near, far) <= m.members and not m.layout >> 17


def _seats(members: Sequence[Member], newest: Member) -> tuple[dict[int, Member], list[str]]:
    """Who sits where in the array, and why others don't."""
    claims, excluded = dict[int, list[Member]](), list[str]()
    for member in members:
        why = _unfit(member, newest)
        if why:
            excluded.append(f"{member.called} {why} and is not used")
        elif member.state == "active" and member.role is not None:
            claims.setdefault(member.role, []).append(member)
    for role, claim in claims.items():
        if len(claim) > 1:
            excluded.append(f"{len(claim)} disks claim to be member {role}; none of them is used")
    return {role: claim[0] for role, claim in claims.items() if len(claim) == 1}, excluded


def _unfit(member: Member, newest: Member) -> str:
    """Why a member must not be mixed in; empty where it may, and for spares, which hold nothing.

    One event less than the newest is no difference: the machine may have stopped between writing two superblocks.
    """
    states = {"faulty": "is marked faulty", "rebuilding": "is not rebuilt to its end",
              "replacement": "is a replacement that was not finished"}  # fmt: skip
    if member.state != "active":
        return states.get(member.state, "")
    alone = "" if member.knows(newest) else ", went on without the others"
    if member.events + 1 < newest.events:
        return f"is stale (events {member.events} against {newest.events}){alone}"
    if not newest.knows(member):
        return f"counts as failed for the newest superblock{alone}"
    room = newest.used if newest.level > 0 else 0
    fits = (member.role or 0) < newest.members and member.data_size >= room
    return "" if fits and _shape(member) == _shape(newest) else "describes the array otherwise"


def _shape(m: Member) -> tuple[object, ...]:
    return m.array, m.version, m.level, m.layout, m.chunk, m.members, m.features & RESHAPING


def _part(member: Member, size: int) -> Part:
    return Part(member.disk, member.data_offset, size, member.called, member.bad)


def _flaws(seats: dict[int, Member], size: int | None = None) -> dict[int, str]:
    """Members of whose first `size` bytes (by default, of whose data) some can't be had, and why."""
    flaws = {}
    for role, member in seats.items():
        end = member.data_offset + (member.data_size if size is None else size)
        if end > member.disk.size:
            flaws[role] = f"ends at byte {member.disk.size} of {end}"
        elif any(first < end and member.data_offset < last for first, last in member.bad):
            flaws[role] = "has bad blocks listed"
    return flaws


def _without_redundancy(newest: Member, seats: dict[int, Member], problems: list[str]) -> Assembled:
    """RAID 0 and linear: every member is needed."""
    absent = [role for role in range(newest.members) if role not in seats]
    if absent:
        raise Unreadable("not supported", f"{_named(newest)} without {_members(absent)}{_because(problems)}")
    problems += [f"member {role} {flaw}; {LOST}" for role, flaw in sorted(_flaws(seats).items())]
    ordered = [seats[role] for role in range(newest.members)]
    said = f"{_named(newest)}, {_count(newest.members)}"
    if newest.level == LINEAR:
        unit = newest.chunk or 1
        return Assembled(Joined([_part(m, m.data_size // unit * unit) for m in ordered]), said, tuple(problems))
    layout = newest.layout if newest.features & RAID0_LAYOUT else None
    stripes = Stripes(newest.chunk, [m.data_size for m in ordered], layout == 1)
    if stripes.matters and layout not in RAID0_LAYOUTS:
        which = "does not say whether its layout is original or alternate"
        raise Unreadable("not supported", f"{_named(newest)} has members of different sizes and {which}")
    said += f", {RAID0_LAYOUTS[layout]} layout" if stripes.matters and layout else ""
    return Assembled(Striped(stripes, [_part(m, m.data_size) for m in ordered]), said, tuple(problems))


def _with_redundancy(newest: Member, seats: dict[int, Member], problems: list[str]) -> Assembled:
    """A member with a flaw is left out like a missing one where the array can do without, and used otherwise."""
    m, (layout, how) = newest, _redundant(newest)
    absent = frozenset(role for role in range(m.members) if role not in seats)
    if not layout.survives(absent):
        raise Unreadable("not supported", f"{_named(m)} without {_members(sorted(absent))}{_because(problems)}")
    if absent:
        problems.append(f"{_members(sorted(absent))} {'is' if len(absent) == 1 else 'are'} missing; {how}")
    spared = absent
    for role, flaw in sorted(_flaws(seats, m.used).items(), key=lambda item: item[1]):  # "ends" before "has bad blocks"
        spared |= {role} if layout.survives(spared | {role}) else set()
        problems.append(f"member {role} {flaw}; {how if role in spared else LOST}")
    problems += _doubts(m, len(seats), len(spared))
    parts = [None if role in spared else _part(seats[role], m.used) for role in range(m.members)]
    disk = next(part for part in parts if part) if m.level == 1 else Striped(layout, parts)
    said = [_named(m), _arrangement(m), _count(m.members), f"{len(absent)} missing" if absent else ""]
    return Assembled(disk, ", ".join(filter(None, said)), tuple(problems))


def _redundant(m: Member) -> tuple[Layout, str]:
    """The layout of an array with redundancy, and how it gives what a missing member held."""
    if m.level in PARITY_MEMBERS:
        return Parity(m.level, m.layout, m.chunk, m.used, m.members), "its bytes are computed from parity"
    if m.level == 1:
        return Copies(m.used, m.used, m.members, m.members), "another copy is read"
    return Copies(m.chunk, m.used, m.members, *_copies(m.layout)), "another copy is read"


def _doubts(newest: Member, seated: int, without: int) -> Iterator[str]:
    """What an array leaves open that was in use when it was seized."""
    if newest.features & JOURNALED:
        yield "the array has a write journal, which is not replayed: its last writes may be missing"
    if not newest.clean and newest.level in PARITY_MEMBERS and without:
        yield "the array was not stopped cleanly: what is computed may be wrong where it was being written"
    if not newest.clean and newest.level in (1, 10) and seated > 1:
        yield "the array was not stopped cleanly: its copies may differ in the last writes, and only one is read"


def _arrangement(m: Member) -> str:
    if m.level == 10:
        near, far, offset = _copies(m.layout)
        return f"near={near}" if far == 1 else f"{'offset' if offset else 'far'}={far}"
    if m.level not in (5, 6):
        return ""
    return ROTATIONS[m.layout] if m.layout < ON_Q else f"{ROTATIONS[m.layout - ON_Q]} with Q last"


def _count(members: int) -> str:
    return "1 member" if members == 1 else f"{members} members"


def _members(roles: Sequence[int]) -> str:
    """Positions in words; a hostile superblock may have very many."""
    listed = ", ".join(map(str, roles[:20])) + (", ..." if len(roles) > 20 else "")
    return f"member{'s' if len(roles) > 1 else ''} {listed}"


def _because(problems: Sequence[str]) -> str:
    return f" ({'; '.join(problems)})" if problems else ""
