"""Digests whose state can be put away and taken up again, so that a killed run need not hash a large file anew.

OpenSSL's context structures for SHA-256, SHA-1 and MD5 are plain memory (openssl/sha.h, openssl/md5.h): their bytes
are the state. Where the system has no libcrypto the digests are Python's own, equal in every bit, without a state.
"""

import ctypes
import ctypes.util
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

HASHES: dict[str, tuple[str, int]] = {"sha256": ("SHA256", 112), "sha1": ("SHA1", 96), "md5": ("MD5", 92)}
"""Our name, OpenSSL's name, and the size of its context structure in bytes."""


class Digest(Protocol):
    """What hashlib's objects are, and ours."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Resumable:
    """A digest with a `state`. `state` is good on the same kind of machine only, with the same libcrypto."""

    def __init__(self, name: str, state: bytes | None = None) -> None:
        self._init, self._update, self._final = _functions(name)
        self._size, self._length = HASHES[name][1], hashlib.new(name, usedforsecurity=False).digest_size
        self._context = ctypes.create_string_buffer(self._size)
        if state is None:
            self._init(self._context)
        elif len(state) != self._size:
            raise ValueError(f"a {name} state has {self._size} bytes, not {len(state)}")
        else:
            self._context.raw = state

    def update(self, data: bytes, /) -> None:
        self._update(self._context, data, len(data))

    @property
    def state(self) -> bytes:
        return self._context.raw

    def hexdigest(self) -> str:
        out, copy = ctypes.create_string_buffer(self._length), ctypes.create_string_buffer(self.state, self._size)
        self._final(out, copy)
        return out.raw.hex()


def digest(name: str, state: bytes | None = None, resumable: bool = True) -> Digest:
    """A digest by its name, fresh or from a state that `states_of` gave. Small files need none that is `resumable`."""
    if resumable and _functions(name) is not None:
        return Resumable(name, state)
    if state is not None:
        raise ValueError("there is no libcrypto here that could take up a state")
    return hashlib.new(name, usedforsecurity=False)


def states_of(digests: Sequence[Digest]) -> list[bytes] | None:
    """The states of all of them; None where digests have none."""
    states = [d.state for d in digests if isinstance(d, Resumable)]
    return states if len(states) == len(digests) and can_resume() else None


def can_resume() -> bool:
    return _functions("sha256") is not None


@cache
def _functions(name: str) -> Any:
    """OpenSSL's three functions for a digest, or None. Held once against hashlib: a wrong digest is worse than none."""
    try:
        library = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
        functions = [getattr(library, f"{HASHES[name][0]}_{part}") for part in ("Init", "Update", "Final")]
    except (OSError, AttributeError):
        return None
    functions[1].argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    context, out = ctypes.create_string_buffer(256), ctypes.create_string_buffer(64)
    functions[0](context)
    functions[1](context, b"casewright", 10)
    functions[2](out, context)
    known = hashlib.new(name, b"casewright", usedforsecurity=False).digest()
    return functions if out.raw.startswith(known) else None
