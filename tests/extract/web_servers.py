"""Real web servers on loopback, for tests that hold our reading of their logs against what was asked of them."""

import base64
import hashlib
import http.client
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.extract.postgres_server import NOBODY, as_nobody

AGENT = 'Agent "7" \\ Ω'
NGINX = r"""
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
APACHE = r"""
ServerRoot {home}
ServerName vault.example
PidFile {home}/pid
Listen 127.0.0.1:{port}
ErrorLog {home}/error.log
LogLevel info
{modules}
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{{Referer}}i\" \"%{{User-Agent}}i\"" vhost
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{{Referer}}i\" \"%{{User-Agent}}i\"" combined
LogFormat "{{\"timestamp\":\"%{{%Y-%m-%dT%H:%M:%S%z}}t\",\"client\":\"%a\",\"auth_user\":\"%u\",\"request\":\"%r\",\"status\":%>s,\"user-agent\":\"%{{User-Agent}}i\"}}" json
LogFormat "{{\"time\":\"%t\",\"remoteIP\":\"%a\",\"user\":\"%u\",\"method\":\"%m\",\"url\":\"%U%q\",\"status\":\"%>s\",\"userAgent\":\"%{{User-Agent}}i\"}}" plain
LogFormat "{{\"ts\":\"%{{msec}}t\",\"remoteIP\":\"%a\",\"user\":\"%u\",\"request\":\"%r\",\"status\":\"%>s\",\"userAgent\":\"%{{User-Agent}}i\"}}" msec
CustomLog {home}/vhost.log vhost
CustomLog {home}/combined.log combined
CustomLog {home}/json.log json
CustomLog {home}/plain.log plain
CustomLog {home}/msec.log msec
DocumentRoot {home}/files
<Location "/">
  AuthType Basic
  AuthName vault
  AuthUserFile {home}/users
  Require valid-user
</Location>
<Location "/open">
  Require all granted
</Location>
"""  # noqa: E501  a format of Apache's is one line
MODULES = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic")
PROGRAMS = {"nginx": "nginx", "apache": "apache2"}


def is_installed(server: str) -> bool:
    return shutil.which(PROGRAMS[server]) is not None


@contextmanager
def running(server: str, names: list[str]) -> Iterator[tuple[int, dict[str, bytes]]]:
    """A server with a password, `key`, for each name: its port, and its logs by name once it has ended."""
    home, logs = Path(tempfile.mkdtemp(prefix="web-")), dict[str, bytes]()  # where an unprivileged user may read
    try:
        port = _prepared(server, home, names)
        program = subprocess.Popen([*as_nobody(), *_command(server, home)], stderr=subprocess.DEVNULL)
        try:
            _wait(program, port)
            yield port, logs
        finally:
            program.terminate()
            program.wait(20)
        logs.update({path.stem: path.read_bytes() for path in home.glob("*.log")})
    finally:
        shutil.rmtree(home)


def _prepared(server: str, home: Path, names: list[str]) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (home / "files").mkdir()
    (home / "files" / "1.txt").write_text("plate")
    key = base64.b64encode(hashlib.sha1(b"key").digest()).decode()
    (home / "users").write_text("".join(f"{name}:{{SHA}}{key}\n" for name in names), "utf-8")
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    config = NGINX if server == "nginx" else APACHE
    (home / "config").write_text(config.format(home=home, port=port, modules=modules), "utf-8")
    for path in [home, *home.rglob("*")] if os.geteuid() == 0 else []:
        os.chown(path, pwd.getpwnam(NOBODY).pw_uid, -1)
    return port


def _command(server: str, home: Path) -> list[str]:
    if server == "nginx":
        return ["nginx", "-p", str(home), "-c", str(home / "config"), "-e", str(home / "start.log")]
    return ["apache2", "-d", str(home), "-f", str(home / "config"), "-DFOREGROUND"]


def _wait(program: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert program.poll() is None, "the server did not start"
            time.sleep(0.05)
        else:
            return


def ask(port: int, method: str, path: str, name: str | None, key: str = "key") -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", "vault.example")
    connection.putheader("User-Agent", AGENT.encode())
    if name is not None:
        connection.putheader("Authorization", "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode())
    connection.endheaders()
    connection.getresponse().read()
    connection.close()


def scan(port: int) -> None:
    """What scanners send to a plain port."""
    with socket.create_connection(("127.0.0.1", port), 20) as scanner:
        scanner.sendall(b"\x16\x03\x01\x02\x00\x01\xff\xe0\n")
        scanner.recv(1 << 12)
