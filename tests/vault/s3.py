"""A server that speaks S3, in a process of its own: moto's (https://docs.getmoto.org), which keeps all in memory."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = "import sys; from moto.server import main; main(sys.argv[1:])"
BUCKET = "s3://evidence/unit"


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """What the environment of whoever uses it must say; there is one empty bucket."""
    command = [sys.executable, "-c", SERVER, "-H", "127.0.0.1", "-p", "0"]
    log = folder / "moto.log"
    with log.open("wb") as said:
        running = subprocess.Popen(command, stderr=said, stdout=said)
    try:
        while not (address := re.search(r"Running on (http://\S+)", log.read_text())):
            assert running.poll() is None, log.read_text()
            time.sleep(0.1)
        urllib.request.urlopen(urllib.request.Request(f"{address[1]}/evidence", method="PUT"), timeout=30).close()
        yield {
            "AWS_ENDPOINT_URL": address[1], "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "unit", "AWS_SECRET_ACCESS_KEY": "not a secret",
        }  # fmt: skip
    finally:
        running.kill()
        running.wait()
