"""LVM2 volume groups: their logical volumes, put together from the disks that are there.

A group is believed as its newest metadata describes it. Every volume that it shows, and every hidden one that nothing
shown is made of, gives one volume or one problem. libvslvm does not serve here: it refuses groups of two disks and
volumes of two stripes.

Sources: lib/format_text/import_vsn1.c and lib/metadata/metadata.c of LVM2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.evidence.reader import Problem, Unreadable
from casewright.evidence.readers.disks import Disk
from casewright.evidence.readers.lvm_metadata import Description, PhysicalVolume, physical_volume_of, sections
from casewright.evidence.readers.lvm_volumes import Group

__all__ = ["LogicalVolume", "PhysicalVolume", "groups_of", "logical_volumes", "physical_volume_of"]


@dataclass(frozen=True)
class LogicalVolume:
    """`name` is "vg0/root"; `said` tells how it was put together: "logical volume vg0/root, linear"."""

    name: str
    disk: Disk
    said: str


def groups_of(volumes: Sequence[PhysicalVolume]) -> list[list[PhysicalVolume]]:
    """Physical volumes that belong together. One without metadata of its own goes where another's metadata names it."""
    described = sorted((v.described for v in volumes if v.described), key=lambda d: d.sequence)
    named = {uuid: d.uuid for d in described for uuid in _uuids(d)}
    groups = dict[str, list[PhysicalVolume]]()
    for volume in volumes:
        key = volume.group or named.get(volume.uuid) or f"only {volume.uuid}"
        groups.setdefault(key, []).append(volume)
    return list(groups.values())


def logical_volumes(volumes: Sequence[PhysicalVolume]) -> Iterator[LogicalVolume | Problem]:
    """The logical volumes of one group, as its newest metadata describes them, and whatever of it can't be read."""
    described = [v.described for v in volumes if v.described]
    newest = max(described, key=lambda d: d.sequence, default=None)
    yield from _about_disks(volumes, newest)
    if not newest:
        return
    if any(d.sequence == newest.sequence and d.checksum != newest.checksum for d in described):
        yield Problem(
            b"", "damaged", f"volume group {newest.name}: its disks describe it differently; the first is used"
        )
    try:
        group = Group(newest, {volume.uuid: volume.disk for volume in reversed(volumes)})
    except Unreadable as error:
        yield Problem(newest.name.encode(), error.reason, f"volume group {newest.name}: {error.detail}")
        return
    names = list(group.names())
    yield from (_found(group, f"{newest.name}/{name}", name) for name in names)
    if not names:
        yield Problem(b"", "unreadable", f"volume group {newest.name} has no logical volumes, only free extents")


def _found(group: Group, full: str, name: str) -> LogicalVolume | Problem:
    try:
        disk, kind = group.volume(name)
    except Unreadable as error:
        return Problem(full.encode(), error.reason, f"logical volume {full}: {error.detail}")
    return LogicalVolume(full, disk, f"logical volume {full}, {kind}")


def _about_disks(volumes: Sequence[PhysicalVolume], newest: Description | None) -> Iterator[Problem]:
    known, met = _uuids(newest) if newest else set[str](), set[str]()
    for volume in volumes:
        said = f"LVM2 physical volume {volume.uuid}"
        if volume.damage:
            yield Problem(b"", "damaged", f"{said}: {volume.damage}")
        elif not newest:
            yield Problem(b"", "unreadable", f"{said}: it has no metadata, and no other disk describes its group")
        if newest and volume.uuid not in known:
            yield Problem(b"", "unreadable", f"{said}: volume group {newest.name} does not count it among its disks")
        if volume.uuid in met:
            yield Problem(b"", "unreadable", f"{said} is there more than once; the first is used")
        met.add(volume.uuid)


def _uuids(described: Description) -> set[str]:
    return {str(one.get("id")) for one in sections(described.root, "physical_volumes").values()}
