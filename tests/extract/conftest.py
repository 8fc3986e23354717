"""Servers that several tests of this room share."""

from collections.abc import Iterator

import pytest

from tests.extract.mariadb_server import Server, is_there, running


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A MariaDB as Debian sets it up."""
    if not is_there():
        pytest.skip("MariaDB is not installed")
    with running(tmp_path_factory.mktemp("mariadb")) as server:
        yield server
