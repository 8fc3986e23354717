"""A real review server on a case, and a browser of few words."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

HTML = "text/html"


class Browser:
    """Somebody who was let in, or not: cookies are sent back, redirects are not followed."""

    def __init__(self, link: str) -> None:
        self.link = link
        self.host = urlsplit(link).netloc
        self.cookie = ""

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
        sent = {"Host": self.host, **({"Cookie": self.cookie} if self.cookie else {}),
                **{name.replace("_", "-"): value for name, value in headers.items()}}  # fmt: skip
        line = HTTPConnection(self.host, timeout=60)
        line.request(method, path, body.encode() or None, sent)
        answer = line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        line.close()
        return answer, text

    def enter(self) -> "Browser":
        answer, _ = self.ask(self.link.removeprefix(f"http://{self.host}"))
        assert answer.status == 303, answer.status
        self.cookie = str(answer.getheader("set-cookie")).partition(";")[0]
        return self

    def get(self, path: str) -> str:
        answer, text = self.ask(path)
        assert answer.status == 200, (path, answer.status, text[-2000:])
        return text

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def word(self, path: str) -> str:
        """The session's word, as the forms of a page have it."""
        return self.get(path).partition('name="word" value="')[2].partition('"')[0]

    def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[HTTPResponse, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.ask(path, "POST", urlencode(form), **kind)


def home_of(case: Path) -> Path:
    """Where a server on this case keeps what is the examiner's own: beside the case, so that tests disturb nobody."""
    return case.parent / "home"


@contextmanager
def reviewing(case: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The link of a server on this case, and its process; it is stopped as Ctrl-C stops it."""
    with started(case, *options) as (said, server):
        yield said["link"], server


@contextmanager
def started(case: Path, *options: str) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """All that a server says when it listens, and its process."""
    command = [sys.executable, "-m", "casewright", "review", str(case), "--port", "0", "--json", *options]
    own = {**os.environ, "PYTHONUNBUFFERED": "1", "CASEWRIGHT_HOME": str(home_of(case))}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=own)  # fmt: skip
    try:
        line = server.stdout.readline() if server.stdout else ""
        assert line, server.communicate()[1]
        yield json.loads(line), server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)
