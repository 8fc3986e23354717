"""Private set intersection by openmined-psi: ECDH on P-256, the larger set as Golomb-coded sets.

Sources: Meadows 1986 and Huberman, Franklin, Hogg 1999 (the protocol); github.com/OpenMined/PSI (what stands in the
messages). What comes from a peer is read in children of their own without rights: the library ends its process over
some bytes. A large set is cut into parts of the same key, one a child at a time.
"""

import hashlib
import math
import multiprocessing
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from casewright.engine.sandbox import confine
from casewright.model.errors import Missing, Refused
from casewright.model.settings import LimitSettings

PART = 1 << 17
"""Members of a set in one part: ten seconds of a processor."""
LENGTH = struct.Struct(">I")
POINT = 33
"""Bytes of a blinded member: a point of P-256, compressed."""
WANTED = (
    "comparing with another agency needs openmined-psi. Install it with: pip install 'casewright[deconflict]'. It "
    "comes for CPython up to 3.13, on Linux with glibc 2.35 or later (x86-64) and on macOS 14 (arm64); on other "
    "machines run the exchange on one of these."
)


class NotReadable(ValueError):  # noqa: N818  reads as what it says
    """A peer's bytes are not what the protocol says."""


def require_library() -> None:
    """Raises Missing where openmined-psi is not installed."""
    if find_spec("private_set_intersection") is None:
        raise Missing(WANTED)


def parts_of(size: int) -> int:
    return -(-size // PART)


def new_setup(items: Sequence[str], rate: float, asked: int) -> tuple[bytes, bytes]:
    """A fresh key, and the set under it for whoever asks with `asked` members; `rate` is the share of exchanges in
    which a stranger may look like a hit."""
    from private_set_intersection import python as psi  # noqa: PLC0415  an extra

    require_library()
    key = bytes(psi.server.CreateWithNewKey(True).GetPrivateKeyBytes())
    count = parts_of(len(items))
    each = -(-len(items) // count)
    work = [(key, list(items[i * each : (i + 1) * each]), rate / count, asked) for i in range(count)]
    parts = in_children(_part, work)
    return key, b"".join(LENGTH.pack(len(part)) + part for part in parts)


def new_request(items: Sequence[str]) -> tuple[bytes, bytes]:
    """A fresh key, and the members blinded under it, in their order."""
    from private_set_intersection import python as psi  # noqa: PLC0415  an extra

    client = psi.client.CreateWithNewKey(True)
    return bytes(client.GetPrivateKeyBytes()), b"".join(client.CreateRequest(list(items)).encrypted_elements)


def answer(key: bytes, asked: bytes, which: bool) -> bytes:
    """The peer's blinded members, blinded once more: in their order when `which` is to be told, else sorted."""
    return bytes(in_children(_answer, [(key, asked, which)])[0])


def common(key: bytes, setup: bytes, answered: bytes, shape: tuple[int, float, int], which: bool) -> list[int]:
    """Places of the members that both have; without `which` their number alone, as that many zeros.

    `shape`: size, rate and asked, as the setup says.
    """
    size, rate, asked = shape
    parts = split(setup, parts_of(size))
    each = -(-size // len(parts))
    work = [
        (key, part, answered, (min(each, size - i * each), rate / len(parts), asked), which)
        for i, part in enumerate(parts)
    ]
    return sorted(place for found in in_children(_common, work) for place in found)


def split(setup: bytes, count: int) -> list[bytes]:
    """The parts of a setup. Raises Refused."""
    parts: list[bytes] = []
    at = 0
    while at + LENGTH.size <= len(setup) and len(parts) <= count:
        (length,) = LENGTH.unpack_from(setup, at)
        parts.append(setup[at + LENGTH.size : at + LENGTH.size + length])
        at += LENGTH.size + length
    if len(parts) != count or at != len(setup):
        raise Refused(f"the set has not the {count} parts that its size says.")
    return parts


def digest_of(asked: bytes) -> str:
    return hashlib.sha256(asked).hexdigest()


def in_children(work: Callable[..., Any], rounds: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What each round gives, done in children without rights. Raises Refused when the peer's bytes are not readable."""
    count = min(os.cpu_count() or 1, len(rounds))
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(count, context, _give_up_rights) as pool:
            return [future.result() for future in [pool.submit(work, *one) for one in rounds]]
    except NotReadable as error:
        raise Refused(f"the peer's file does not follow the protocol: {error}.") from error
    except BrokenProcessPool as error:
        raise Refused("the peer's file ends the program that reads it: it does not follow the protocol.") from error


def _give_up_rights() -> None:
    import_module("private_set_intersection.python")  # before files are closed

    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)  # the library speaks of what ends it
    confine(LimitSettings(), [Path(__file__).parent])


def _part(key: bytes, items: list[str], rate: float, asked: int) -> bytes:
    from private_set_intersection import python as psi  # noqa: PLC0415

    server = psi.server.CreateFromKey(key, True)
    return bytes(server.CreateSetupMessage(rate, asked, items, psi.DataStructure.GCS).SerializeToString())


def _points(raw: bytes) -> list[bytes]:
    if not raw or len(raw) % POINT:
        raise NotReadable("is not a row of points")
    return [raw[i : i + POINT] for i in range(0, len(raw), POINT)]


def _answer(key: bytes, asked: bytes, which: bool) -> bytes:
    from private_set_intersection import python as psi  # noqa: PLC0415

    request = psi.Request(reveal_intersection=which, encrypted_elements=_points(asked))
    try:
        response = psi.server.CreateFromKey(key, which).ProcessRequest(request)
    except RuntimeError as error:
        raise NotReadable("a member of the set is no point of the curve") from error
    return b"".join(response.encrypted_elements)


def _common(key: bytes, part: bytes, answered: bytes, shape: tuple[int, float, int], which: bool) -> list[int]:
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from private_set_intersection import python as psi  # noqa: PLC0415

    try:
        setup = psi.ServerSetup.FromString(part)
        _check_shape(setup, shape)
        client = psi.client.CreateFromKey(key, which)
        response = psi.Response(encrypted_elements=_points(answered))
        if which:
            return [int(place) for place in client.GetIntersection(setup, response)]
        return [0] * int(client.GetIntersectionSize(setup, response))
    except (DecodeError, RuntimeError) as error:
        raise NotReadable("its set or its answer cannot be decoded") from error


def _check_shape(setup: Any, shape: tuple[int, float, int]) -> None:
    """A set has the parameters that follow from its size: with others it would hit everything, or end the library."""
    size, rate, asked = shape
    wanted = round(max(size, asked) * asked / rate)
    if setup.WhichOneof("data_structure") != "gcs":
        raise NotReadable("is not a Golomb-coded set")
    if not math.isclose(setup.gcs.hash_range, wanted, rel_tol=1e-6):
        raise NotReadable("its share of false hits is not the one that it states")
    if abs(setup.gcs.div - math.log2(wanted / size)) > 2 or len(setup.gcs.bits) > size * 16:
        raise NotReadable("its set is not coded as its size says")
