"""The logical volumes of one described group: which of them to show, and how each is put together.

Linear and striped volumes are read whole. Of a mirror one image is read: of `mirror` the first, from which the others
are copied; of `raid1` the first that its own superblock and the newest one call in step. What takes more than placing
extents (thin, cache, snapshot, VDO, integrity, parity) is refused by name.

Sources: lib/format_text/import_vsn1.c and the segment types in lib/*/ of LVM2; its manuals lvmthin(7), lvmraid(7).
"""

import re
from collections.abc import Iterator, Mapping

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk
from casewright.evidence.readers.lvm_extents import Extents, InTurn, RaidState, Striped, in_step, raid_state
from casewright.evidence.readers.lvm_metadata import Description, Section, listed, number, sections, words

DEEPEST = 8  # volumes within volumes
LARGEST = 1 << 60
NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.+-]{1,128}", re.ASCII)
SPARE = re.compile(r"lvol[0-9]+_pmspare", re.ASCII)

Made = tuple[Disk, str]
"""A volume's bytes, and how they were put together."""


class Group:
    """One volume group: finds volumes by name and puts them together, each once. `disks` by physical volume's uuid."""

    def __init__(self, described: Description, disks: Mapping[str, Disk]) -> None:
        if not NAME.fullmatch(described.name):
            raise Unreadable("damaged", "its name is none that LVM gives")
        self._extent = number(described.root, "extent_size") * SECTOR
        if not SECTOR <= self._extent <= LARGEST:
            raise Unreadable("damaged", f"its extents have {self._extent} bytes")
        self._disks = disks
        self._physical = sections(described.root, "physical_volumes")
        self._logical = sections(described.root, "logical_volumes")
        self._made = dict[str, Made | Unreadable]()
        self._apart = dict[str, str]()  # what does not read as it stands, because of a snapshot, and why
        for segment in (one for lv in self._logical.values() for one in _segments(lv) if one.get("type") == "snapshot"):
            origin, merging = str(segment.get("origin")), segment.get("merging_store")
            self._apart[str(merging or segment.get("cow_store"))] = f"it is a snapshot of {origin}"
            if merging:
                self._apart[origin] = f"the snapshot {merging} is being merged into it"

    def names(self) -> Iterator[str]:
        """Volumes that the group shows, then hidden ones that no shown one is made of."""
        candidates = [name for name, lv in self._logical.items() if not _is_relation(lv) and not SPARE.fullmatch(name)]
        shown = [name for name in candidates if "VISIBLE" in listed(self._logical[name], "status")]
        yield from shown
        reached, queue = set(shown), list(shown)
        while queue:
            for segment in _segments(self._logical[queue.pop()]):
                beneath = {word for word in _words_in(segment) if word in self._logical} - reached
                reached |= beneath
                queue += beneath
        yield from (name for name in candidates if name not in reached)

    def volume(self, name: str) -> Made:
        """A volume that the group shows. Raises Unreadable for one that can't be read as it is, and says why."""
        if not NAME.fullmatch(name):
            raise Unreadable("damaged", "its name is none that LVM gives")
        if name in self._apart:
            raise Unreadable("not supported", self._apart[name])
        return self._inner(name, 0)

    def _inner(self, name: str, depth: int) -> Made:
        """Any volume by its name; each is made once, so that volumes within volumes cost no more than they are."""
        if depth > DEEPEST:
            raise Unreadable("damaged", f"volumes lie within volumes deeper than {DEEPEST}")
        if name not in self._made:
            try:
                self._made[name] = self._put_together(name, depth)
            except Unreadable as error:
                self._made[name] = error
        made = self._made[name]
        if isinstance(made, Unreadable):
            raise Unreadable(made.reason, made.detail)
        return made

    def _put_together(self, name: str, depth: int) -> Made:
        parts, kinds, end = list[Disk](), dict[str, None](), 0
        for segment in sorted(_segments(self._logical[name]), key=lambda one: number(one, "start_extent")):
            start, count = number(segment, "start_extent"), number(segment, "extent_count")
            if start != end or not count or (end + count) * self._extent > LARGEST:
                raise Unreadable("damaged", f"its segments do not follow each other at extent {end}")
            disk, kind = self._segment(segment, count, depth)
            parts.append(disk)
            kinds[kind], end = None, end + count
        if len(parts) != number(self._logical[name], "segment_count") or not parts:
            raise Unreadable("damaged", f"it has {len(parts)} segments, not those that it counts")
        return (parts[0] if len(parts) == 1 else InTurn(parts)), " and ".join(kinds)

    def _segment(self, segment: Section, count: int, depth: int) -> Made:
        kind = words(segment, "type")
        if kind in ("striped", "linear"):
            return self._striped(segment, count, depth)
        if kind == "mirror":
            (name, start), *_ = _pairs(segment, "mirrors", number(segment, "mirror_count"))
            return self._area(name, start, count, depth), "first image of a mirror"
        if kind == "raid1":
            return self._raid1(segment, count, depth)
        raise Unreadable("not supported", f"segments of type {kind[:80]} are not supported")

    def _striped(self, segment: Section, count: int, depth: int) -> Made:
        stripes = number(segment, "stripe_count")
        places = _pairs(segment, "stripes", stripes)
        if count % stripes:
            raise Unreadable("damaged", f"{count} extents over {stripes} stripes")
        parts = [self._area(name, start, count // stripes, depth) for name, start in places]
        if stripes == 1:
            return parts[0], "linear"
        chunk = number(segment, "stripe_size") * SECTOR
        if not chunk or self._extent % chunk:
            raise Unreadable("damaged", f"stripes of {chunk} bytes in extents of {self._extent}")
        return Striped(parts, chunk), f"striped over {stripes}"

    def _area(self, name: str, start: int, count: int, depth: int) -> Disk:
        """`count` extents of a physical volume, or of another logical one, from extent `start` on."""
        if name in self._physical:
            return self._physical_area(self._physical[name], start, count)
        if name not in self._logical:
            raise Unreadable("damaged", f"it lies on {name[:80]!r}, which its group does not have")
        disk, _ = self._inner(name, depth + 1)
        if (start + count) * self._extent > disk.size:
            raise Unreadable("damaged", f"it goes past the end of {name}")
        return Extents(disk, start * self._extent, count * self._extent, f"logical volume {name}")

    def _physical_area(self, physical: Section, start: int, count: int) -> Disk:
        uuid = words(physical, "id")
        if "MISSING" in listed(physical, "flags") + listed(physical, "status"):
            raise Unreadable("missing", f"it lies on physical volume {uuid}, which its group had lost before")
        if uuid not in self._disks:
            hint = physical.get("device", "no known device")
            raise Unreadable("missing", f"it lies on physical volume {uuid} (last {hint!s:.80}), which is not here")
        if start + count > number(physical, "pe_count"):
            raise Unreadable("damaged", f"it goes past the end of physical volume {uuid}")
        first = number(physical, "pe_start") * SECTOR + start * self._extent
        if first + count * self._extent > LARGEST:
            raise Unreadable("damaged", f"it begins at byte {first} of physical volume {uuid}")
        return Extents(self._disks[uuid], first, count * self._extent, f"physical volume {uuid}")

    def _raid1(self, segment: Section, count: int, depth: int) -> Made:
        names = [str(entry) for entry in listed(segment, "raids")]
        if not names or len(names) != 2 * number(segment, "device_count"):
            raise Unreadable("damaged", "its raid1 does not name two volumes for each image")
        states, hindrances = list[RaidState | None](), list[str]()
        for meta in names[::2]:
            try:
                states.append(raid_state(self._area(meta, 0, 1, depth)))
            except Unreadable as error:
                states.append(None)
                hindrances.append(error.detail)
        unknown = ", ".join(str(index) for index, state in enumerate(states) if not state)
        doubt = f", of image {unknown} it is not known whether it is newer" if unknown else ""
        for index in in_step(states):
            try:
                return self._area(names[2 * index + 1], 0, count, depth), f"image {index} of raid1{doubt}"
            except Unreadable as error:
                hindrances.append(error.detail)
        why = "; ".join(dict.fromkeys(hindrances)) or "their superblocks do not say so"
        raise Unreadable(
            "missing" if hindrances else "not supported", f"no image of its raid1 is known to be whole: {why}"
        )


def _segments(volume: Section) -> list[Section]:
    """A volume's segments, in the order of the text."""
    return [section for name, section in sections(volume).items() if name.startswith("segment")]


def _is_relation(volume: Section) -> bool:
    """Whether a volume has no bytes and only says which other one is a snapshot of which."""
    kinds = [segment.get("type") for segment in _segments(volume)]
    return bool(kinds) and all(kind == "snapshot" for kind in kinds)


def _words_in(segment: Section) -> Iterator[str]:
    for value in segment.values():
        yield from (str(entry) for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, str))


def _pairs(segment: Section, name: str, count: int) -> list[tuple[str, int]]:
    """A list of names, each followed by an extent."""
    flat = listed(segment, name)
    pairs = [(str(a), b) for a, b in zip(flat[::2], flat[1::2], strict=False) if isinstance(b, int) and b >= 0]
    if not count or len(flat) != 2 * count or len(pairs) != count:
        raise Unreadable("damaged", f"its {name} are not {count} pairs")
    return pairs
