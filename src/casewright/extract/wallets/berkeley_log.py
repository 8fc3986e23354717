"""Logs of Berkeley DB, which lie in a folder `database` beside a wallet: refused by name."""

from collections.abc import Iterator
from typing import BinaryIO

from casewright.extract.reader import Beside, Broken
from casewright.extract.wallet import Found


def read_berkeley_log(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """Changes are in the database once its program has closed it; those of one that was killed may stand here alone."""
    detail = "a log of Berkeley DB: changes that its program had not yet written into the database are not read"
    yield Broken("not supported", detail, 0, file.seek(0, 2))
