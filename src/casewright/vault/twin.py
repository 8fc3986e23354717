"""A twin of a case's bytes on storage that several machines share, by the same digests.

`URL/ab/cdef…` holds the bytes whose SHA-256 are the two names together, as `store/` does: exhibits, items, parts of
tables and their manifests, all in one row. S3 (or what speaks like it) by `s3://BUCKET/PREFIX`, a shared folder by
`file:///PATH`, through obstore (https://developmentseed.org/obstore). Who may, and where the server is, say the
environment's AWS_ variables; neither stands in the case. Nothing is ever overwritten or deleted there.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import Any, BinaryIO

from casewright.model.errors import BrokenSeal, Missing, UsageError
from casewright.vault.store import CHUNK, hash_of

PART = 16 << 20
"""Bytes of a part of a large upload; S3 takes 10,000 of them at most, so that larger files get larger parts."""
MOST_PARTS = 9000
SCHEMES = ("s3://", "file:///")


def check_url(url: str) -> None:
    """Raises UsageError for an address that no twin can have."""
    if not url.startswith(SCHEMES):
        raise UsageError(f"{url!r} is no storage that is known. It begins with s3:// or file:///.")


class Twin:
    """Bytes by their digest at a URL. Raises Missing when it cannot be reached, with the case as it was."""

    def __init__(self, url: str) -> None:
        check_url(url)
        self.url = url.rstrip("/")

    def place(self, sha256: str) -> str:
        return f"{self.url}/{_path(sha256)}"

    def has(self, sha256: str) -> bool:
        with self._reached():
            try:
                self._obstore.head(self._store, _path(sha256))
            except FileNotFoundError:
                return False
            return True

    def shelf(self, first: str) -> dict[str, int]:
        """What lies there whose digest begins with these two letters, and its size."""
        with self._reached():
            found = [one for some in self._obstore.list(self._store, prefix=first) for one in some]
        return {one["path"].replace("/", ""): one["size"] for one in found}

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes that lie under this digest; whoever takes them checks it."""
        with self._reached():
            try:
                yield from self._obstore.get(self._store, _path(sha256)).stream(min_chunk_size=CHUNK)
            except FileNotFoundError as error:
                raise Missing(f"{self.place(sha256)} is not there.") from error

    def check(self, sha256: str) -> None:
        """Read the bytes that lie there. Raises BrokenSeal when they have another digest."""
        found = hash_of(self.chunks(sha256))
        if found != sha256:
            raise BrokenSeal(
                f"{self.place(sha256)}: bytes were changed: they now hash to {found}. Find out why. Where this case "
                "still holds them, remove that object and push again."
            )

    def put(self, sha256: str, file: BinaryIO, size: int) -> None:
        """Put bytes there that are not there yet, and read them back."""
        how: dict[str, Any] = {"mode": "create"}
        if size > PART:
            how = {"use_multipart": True, "chunk_size": max(PART, size // MOST_PARTS + 1), "max_concurrency": 4}
        with self._reached(), suppress(self._obstore.exceptions.AlreadyExistsError):  # somebody else was faster
            self._obstore.put(self._store, _path(sha256), file, **how)
        self.check(sha256)

    @cached_property
    def _obstore(self) -> Any:
        try:
            import obstore  # noqa: PLC0415  an extra
            import obstore.store  # noqa: PLC0415
        except ImportError as error:
            raise Missing("obstore is not installed. Install it with: pip install 'casewright[s3]'") from error
        return obstore

    @cached_property
    def _store(self) -> Any:
        retry = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
        more: dict[str, Any] = {"mkdir": True} if self.url.startswith("file:") else {"retry_config": retry}
        return self._obstore.store.from_url(self.url, **more)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        errors = self._obstore.exceptions
        try:
            yield
        except (errors.BaseError, OSError) as error:
            said = " ".join(str(error).partition("\n\nDebug")[0].split())
            raise Missing(
                f"{self.url} cannot be used: {said[:500]}. Nothing in the case changed. See docs/guides/cluster.md."
            ) from error


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}"
