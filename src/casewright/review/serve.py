"""The server of the review room: on this machine only, unless somebody brings certificates and names who may come."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from casewright.model.errors import Missing
from casewright.review.app import application
from casewright.review.desk import Desk
from casewright.review.gate import Gate, Links
from casewright.review.visitor import Visitor

LOOPBACK = "127.0.0.1"


def serve(desk: Desk, visitor: Visitor, port: int, ready: Callable[[str], None]) -> None:
    """Answer until Ctrl-C. `ready` is told the link that lets the visitor in, once the server listens; port 0: any that
    is free. Raises Missing when the port is taken."""
    listening = _listen(port)
    number = listening.getsockname()[1]
    links = Links()
    hosts = frozenset({f"{LOOPBACK}:{number}", f"localhost:{number}"})
    gate = Gate(application(desk), links, hosts, f"casewright-{number}")
    config = uvicorn.Config(gate, log_level="error", access_log=False, server_header=False, date_header=False,
                            lifespan="off", timeout_graceful_shutdown=2,
                            limit_concurrency=64)  # fmt: skip
    ready(f"http://{LOOPBACK}:{number}{links.make(visitor)}")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        raise Missing(f"port {port} of this machine is in use. Choose another with --port, or 0 for any.") from error
    listening.listen(64)
    return listening
