"""Who comes in: this machine's own browser, with the link that the terminal showed, and nobody else; or, where other
machines reach the room, who signs in (`signin.py`).

Default deny. The link works once and leaves a cookie that no script reads and no other site sends (HttpOnly,
SameSite=Strict). A request that was meant for another host is refused (DNS rebinding), and so is a form that another
site's page sent: it lacks the session's own word, and its Origin is not ours. Answers forbid the browser to keep
anything, and everything that a page here does not need (Content-Security-Policy).
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casewright.model.errors import CasewrightError
from casewright.review.signin import IDLE, LONGEST, SignIn, page
from casewright.review.users import User
from casewright.review.visitor import Visitor

ENTRY, LEAVE, STYLE = "/enter", "/leave", "/static/style.css"
MOST_SESSIONS = 1_000
FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 1 << 16
MOST_FIELDS = 100
METHODS = ("GET", "HEAD", "POST")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
TURNED_AWAY = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not let in</title>
<h1>Not let in</h1><p>{reason}</p>"""
NO_LINK = (
    "Open the link that <code>casewright review</code> printed in the terminal. It works once; for another browser, "
    "stop it with Ctrl-C and start it again."
)


@dataclass
class Session:
    """A browser that was let in. `word` is what its own forms know and no other page does; `user`: who signed in."""

    visitor: Visitor
    user: User | None = None
    word: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)


class Links:
    """The links that let somebody in, each once."""

    def __init__(self) -> None:
        self._open: dict[str, Visitor] = {}

    def make(self, visitor: Visitor) -> str:
        """Path and query of a new link."""
        token = secrets.token_urlsafe(32)
        self._open[token] = visitor
        return f"{ENTRY}?token={token}"

    def use(self, token: str) -> Visitor | None:
        """Whom the link lets in; it is spent by that."""
        found = next((t for t in self._open if hmac.compare_digest(t.encode(), token.encode())), None)
        return self._open.pop(found) if found else None


class Gate:
    """ASGI middleware around the pages. `door`: links, or where people sign in (then over TLS alone); `hosts`: the
    names by which this server may be called; `cookie`: what its cookie is called: servers on other ports of this
    machine share the browser's cookies."""

    def __init__(self, app: ASGIApp, door: Links | SignIn, hosts: frozenset[str], cookie: str) -> None:
        self._app, self._door, self._hosts, self._cookie = app, door, hosts, cookie
        self._sessions: dict[str, Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._decide(request, scope)
        if answer is None:
            await self._app(scope, request.receive, _guarded(send))
        else:
            await answer(scope, receive, _guarded(send))

    async def _decide(self, request: Request, scope: Scope) -> Response | None:
        """The answer to who is turned away or just comes in; None for who goes through."""
        if request.headers.get("host", "").lower() not in self._hosts:
            return _turned_away("This server does not go by that name.", 421)
        if request.method not in METHODS:
            return _turned_away("Only reading and forms are understood here.", 405)
        if request.url.path == ENTRY:
            return await self._enter(request)
        if request.url.path == STYLE and request.method == "GET" and isinstance(self._door, SignIn):
            return None
        return await self._pass(request, self._session(request.cookies), scope)

    async def _pass(self, request: Request, session: Session | None, scope: Scope) -> Response | None:
        if session is None:
            return self._no_session(request)
        scope["session"] = session
        scope["form"] = {}
        return await self._form(request, session, scope) if request.method == "POST" else None

    async def _enter(self, request: Request) -> Response:
        if isinstance(self._door, SignIn):
            return await self._sign_in(request, self._door)
        visitor = self._door.use(request.query_params.get("token", ""))
        if visitor is None:
            return _turned_away(f"This link was used, or is none. {NO_LINK}", 403)
        return self._let_in(Session(visitor))

    async def _sign_in(self, request: Request, door: SignIn) -> Response:
        if request.method != "POST":
            return HTMLResponse(page(""))
        form = await self._read(request)
        if isinstance(form, Response):
            return form
        address = request.client.host if request.client else ""
        try:
            user, why = await run_in_threadpool(door.enter, form, address)
        except CasewrightError as error:
            return HTMLResponse(page(f"Nobody is let in now, since it cannot be recorded: {error}"), 503)
        return self._let_in(Session(user.visitor, user)) if user else HTMLResponse(page(why), 403)

    def _let_in(self, session: Session) -> Response:
        """A cookie of its own for each; where too many are in, the oldest is out."""
        secret = secrets.token_urlsafe(32)
        self._sessions[secret] = session
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        answer = RedirectResponse("/", 303)
        secure = isinstance(self._door, SignIn)
        answer.set_cookie(self._cookie, secret, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    def _session(self, cookies: Mapping[str, str]) -> Session | None:
        given = cookies.get(self._cookie, "").encode()
        secret = next((s for s in list(self._sessions) if hmac.compare_digest(s.encode(), given)), "")
        session = self._sessions.get(secret)
        if session and not self._still(session):
            self._sessions.pop(secret, None)
            return None
        return session

    def _still(self, session: Session) -> bool:
        """Whether it holds: a session of somebody who signed in ends by time, and with their right to come in."""
        if session.user is None or not isinstance(self._door, SignIn):
            return True
        now, last = time.monotonic(), session.last
        session.last = now
        return now - last < IDLE and now - session.began < LONGEST and self._door.users.still(session.user)

    def _no_session(self, request: Request) -> Response:
        if not isinstance(self._door, SignIn):
            return _turned_away(NO_LINK, 403)
        if request.method == "GET" and not request.url.path.endswith((".json", ".jpg", ".svg", ".graphml")):
            return RedirectResponse(ENTRY, 303)
        return _turned_away("Sign in first.", 403)

    async def _form(self, request: Request, session: Session, scope: Scope) -> Response | None:
        """Reads a form of this session; one that says to leave ends it."""
        form = await self._read(request)
        if isinstance(form, Response):
            return form
        if not hmac.compare_digest(form.pop("word", "").encode(), session.word.encode()):
            return _turned_away("This form is not of this session. Load the page again.", 403)
        if request.url.path == LEAVE and session.user:
            self._sessions = {secret: one for secret, one in self._sessions.items() if one is not session}
            return RedirectResponse(ENTRY, 303)
        scope["form"] = form
        return None

    async def _read(self, request: Request) -> Response | dict[str, str]:
        """A form's fields; refuses what is none, is too large, or came from another page."""
        if not _ours(request.headers, self._hosts):
            return _turned_away("This form came from another site.", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return _turned_away("Nothing is uploaded here.", 415)
        raw = b""
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > LARGEST_FORM:
                return _turned_away("That is more than a form.", 413)
        try:
            given = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return _turned_away("That is no form of ours.", 400)
        return {name: values[-1] for name, values in given.items()}


def _ours(headers: Headers, hosts: frozenset[str]) -> bool:
    """Whether a browser says that its own page from here sent the form."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() not in hosts:
        return False
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _turned_away(reason: str, code: int) -> Response:
    """`reason` is our own markup."""
    return HTMLResponse(TURNED_AWAY.format(reason=reason), code)


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
