"""A real nginx on loopback writes each form of log; what is read from it is what was asked of it."""

import base64
import http.client
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casewright.evidence.kinds import kind_of
from casewright.extract.formats import LOG_FORMS, LOG_READERS
from casewright.extract.log import Given, Line, Quiet, Request

CONFIG = r"""
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log info;
events {{}}
http {{
  log_format vhost '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                   '"$http_referer" "$http_user_agent"';
  log_format json escape=json '{{"time_local":"$time_local","remote_addr":"$remote_addr","remote_port":"$remote_port",'
    '"remote_user":"$remote_user","request":"$request","status":$status,"http_user_agent":"$http_user_agent"}}';
  log_format msec escape=json '{{"msec":$msec,"remote_addr":"$remote_addr","remote_user":"$remote_user",'
    '"request_method":"$request_method","request_uri":"$request_uri","status":"$status","user_agent":"$http_user_agent"}}';
  log_format plain '{{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user",'
    '"request":"$request","status":"$status","http_user_agent":"$http_user_agent"}}';
  access_log {home}/combined.log;
  access_log {home}/vhost.log vhost;
  access_log {home}/json.log json;
  access_log {home}/msec.log msec;
  access_log {home}/plain.log plain;
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3; uwsgi_temp_path {home}/t4;
  scgi_temp_path {home}/t5;
  server {{
    listen 127.0.0.1:{port}; server_name vault.example; root {home}/files;
    auth_basic "vault"; auth_basic_user_file {home}/users;
    location = /open {{ auth_basic off; return 204; }}
  }}
}}
"""
FORMS = {"combined": "text/x-access-log", "vhost": "text/x-access-log", "json": "text/x-access-log+json",
         "msec": "text/x-access-log+json", "plain": "text/x-access-log+json"}  # fmt: skip
NAMES = ["amber", "amber lee", 'a"b\\c', "Ωμέγα", "\u202eabc", "a] [b", "[10 Oct 2017 13.55.36 +0200] \"GET",
         "{\"a\"}", "\\x41", "tab\tbed"]  # fmt: skip
ASKED = [("GET", "/1.txt", 200), ("POST", "/login?next=/%22", 404), ("GET", "/none%20such?q=\"\\x22", 404),
         ("DELETE", "/1.txt", 405)]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder, after everybody asked for everything."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    home = tmp_path_factory.mktemp("nginx")
    home.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "files").mkdir()
    (home / "files" / "1.txt").write_text("plate")
    (home / "users").write_text("".join(f"{name}:{{PLAIN}}key\n" for name in NAMES), "utf-8")
    (home / "nginx.conf").write_text(CONFIG.format(home=home, port=port), "utf-8")
    server = subprocess.Popen(["nginx", "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "start.log")])
    try:
        _wait(server, port)
        for name in NAMES:
            for method, path, _ in ASKED:
                _ask(port, method, path, name, "key")
        _ask(port, "GET", "/1.txt", "amber", "wrong")
        _ask(port, "GET", "/open", None, "")
        with socket.create_connection(("127.0.0.1", port)) as scanner:
            scanner.sendall(b"\x16\x03\x01\x02\x00\x01\xff\xe0\n")
            scanner.recv(1 << 12)
    finally:
        server.terminate()
        server.wait(20)
    return home


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert server.poll() is None, "nginx did not start"
            time.sleep(0.05)
        else:
            return


def _ask(port: int, method: str, path: str, name: str | None, key: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", "vault.example")
    connection.putheader("User-Agent", 'Agent "7" \\ Ω'.encode())
    if name is not None:
        connection.putheader("Authorization", "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode())
    connection.endheaders()
    connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_is_what_was_asked(home: Path, form: str) -> None:
    raw = (home / f"{form}.log").read_bytes()
    mime = kind_of(raw[: 1 << 16], len(raw))
    assert mime == FORMS[form]
    with (home / f"{form}.log").open("rb") as file:
        *lines, quiet = LOG_READERS[LOG_FORMS[mime]](file, Given())
    assert isinstance(quiet, Quiet)
    requests = [line.said for line in lines if isinstance(line, Line)]
    asked = [(name, method, path, status) for name in NAMES for method, path, status in ASKED]
    assert [(r.user, r.method, r.path, r.status) if isinstance(r, Request) else r for r in requests] == [
        *asked, ("amber", "GET", "/1.txt", 401),
    ]  # fmt: skip
    assert {(r.ip, r.agent) for r in requests if isinstance(r, Request)} == {("127.0.0.1", 'Agent "7" \\ Ω')}
    assert quiet.lines + len(lines) == raw.count(b"\n")
    now = datetime.now(UTC).replace(tzinfo=None)
    for request in requests:
        assert isinstance(request, Request)
        assert now - timedelta(hours=1) < request.time < now + timedelta(minutes=1)


def test_the_error_log_is_known_and_holds_nothing(home: Path) -> None:
    raw = (home / "error.log").read_bytes()
    assert b"password mismatch" in raw
    assert kind_of(raw[: 1 << 16], len(raw)) == "text/x-error-log"
    with (home / "error.log").open("rb") as file:
        assert list(LOG_READERS["error log"](file, Given())) == [Quiet(raw.count(b"\n"))]
