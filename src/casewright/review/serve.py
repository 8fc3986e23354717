"""The server of the review room: on this machine only, unless somebody brings a certificate and names who may come."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from casewright.model.errors import Missing, UsageError
from casewright.review.app import application
from casewright.review.desk import Desk
from casewright.review.gate import Gate, Links
from casewright.review.signin import SignIn
from casewright.review.users import Users
from casewright.review.visitor import Visitor

if TYPE_CHECKING:
    from casewright.review.tls import Certificate

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Public:
    """What it takes to let other machines in: a certificate, users, and by which name browsers call the room."""

    certificate: "Certificate"
    users: Users
    name: str


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address. Raises UsageError for what is no address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise UsageError(f"{host!r} is no address of this machine, such as 127.0.0.1 or 192.0.2.7.") from error


def serve(desk: Desk, visitor: Visitor, host: str, port: int, public: Public | None,
          ready: Callable[[str], None]) -> None:  # fmt: skip
    """Answer until Ctrl-C. `ready` is told the link once the server listens: one that lets the visitor in, or with
    `public` the one at which users sign in; port 0: any that is free. Raises Missing when the port is taken."""
    listening = _listen(host, port)
    number = listening.getsockname()[1]
    name = _in_link(public.name if public else host)
    hosts = {f"{name}:{number}", *([f"localhost:{number}"] if not public else [])}
    hosts |= {name} if number == 443 else set()  # browsers leave it out
    door: Links | SignIn = SignIn(public.users, desk.record) if public else Links()
    cookie = f"__Host-casewright-{number}" if public else f"casewright-{number}"
    gate = Gate(application(desk), door, frozenset(hosts), cookie)
    own = public.certificate if public else None
    config = uvicorn.Config(gate, log_level="error", access_log=False, server_header=False, date_header=False,
                            lifespan="off", timeout_graceful_shutdown=2, limit_concurrency=64,
                            ssl_certfile=own.certificate if own else None,
                            ssl_keyfile=own.key if own else None)  # fmt: skip
    ready(f"http://{name}:{number}{door.make(visitor)}" if isinstance(door, Links) else f"https://{name}:{number}/")
    server = uvicorn.Server(config)
    config.load()
    if config.ssl:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    asyncio.run(server.serve(sockets=[listening]))


def _in_link(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio does not wait
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Missing(f"port {port} of {host} cannot be had: {error.strerror}. Choose another with --port, or 0 for "
                      "any.") from error  # fmt: skip
    listening.listen(64)
    return listening
