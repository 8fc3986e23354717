"""The review room as a web application (Starlette): pages, their JSON, and the few things that a visitor may do."""

import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from casewright.engine.query import plain
from casewright.model.errors import BrokenSeal, CasewrightError, Missing, UsageError
from casewright.review.acts import ACTS, Act
from casewright.review.desk import Desk, Overtaken
from casewright.review.page import Ask, Page
from casewright.review.pages import PAGES, TABS
from casewright.review.raw import RAW
from casewright.review.shown import FILTERS
from casewright.review.visitor import NotAllowed

HERE = Path(__file__).parent
CODES = ((Missing, 404), (UsageError, 400), (NotAllowed, 403), (Overtaken, 409), (BrokenSeal, 500))
"""The answer to each kind of error; of several that fit the first."""


def templates() -> Environment:
    """Everything is escaped, and a name that a page forgot to find is an error, never an empty place."""
    made = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    made.filters.update(FILTERS)
    return made


class Room:
    """Answers requests from what the pages find."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self._templates = desk, templates()

    async def show(self, page: Page, as_json: bool, request: Request) -> Response:
        return await run_in_threadpool(self._show, page, as_json, request)

    def _show(self, page: Page, as_json: bool, request: Request) -> Response:
        try:
            found = page.find(self._ask(request))
        except CasewrightError as error:
            return self._failed(request, error, as_json)
        if as_json:
            return Response(json.dumps(found, default=_plain, ensure_ascii=False), media_type="application/json")
        return self._page(request, page.template, page.tab, found)

    def _ask(self, request: Request) -> Ask:
        session = request.scope["session"]
        return Ask(self.desk, session.visitor, request.path_params, dict(request.query_params))

    def _page(self, request: Request, template: str, tab: str, found: dict[str, Any], code: int = 200) -> Response:
        session = request.scope["session"]
        about = {"visitor": session.visitor, "word": session.word,
                 "signed_in": session.user is not None, "tabs": TABS, "tab": tab, "desk": self.desk,
                 "case": self.desk.case.settings.case, "here": str(request.url.path),
                 "query": dict(request.query_params), "with_query": partial(_with_query, request)}  # fmt: skip
        return HTMLResponse(self._templates.get_template(template).render(**about, **found), code)

    def _failed(self, request: Request, error: CasewrightError, as_json: bool) -> Response:
        code = next((code for kind, code in CODES if isinstance(error, kind)), 500)
        if as_json:
            return Response(json.dumps({"error": str(error)}), code, media_type="application/json")
        standing = error.standing if isinstance(error, Overtaken) else None
        return self._page(request, "failed.html", "", {"error": str(error), "code": code, "standing": standing}, code)

    async def act(self, act: Act, request: Request) -> Response:
        return await run_in_threadpool(self._act, act, request)

    def _act(self, act: Act, request: Request) -> Response:
        try:
            return RedirectResponse(act.do(self._ask(request), request.scope["form"]), 303)
        except CasewrightError as error:
            return self._failed(request, error, False)

    async def raw(self, answer: Callable[[Ask], Response], request: Request) -> Response:
        """Pictures and files: what is neither page nor JSON."""
        return await run_in_threadpool(self._raw, answer, request)

    def _raw(self, answer: Callable[[Ask], Response], request: Request) -> Response:
        try:
            return answer(self._ask(request))
        except CasewrightError as error:
            return self._failed(request, error, False)

    async def lost(self, request: Request, error: Exception) -> Response:
        return self._failed(request, Missing("There is no such page."), request.url.path.endswith(".json"))


def _with_query(request: Request, **changes: Any) -> str:
    """This page's address with some of its query changed; None takes a name out."""
    query = {**request.query_params, **changes}
    kept = {name: value for name, value in query.items() if value is not None and value != ""}
    return quote(request.url.path) + ("?" + urlencode(kept) if kept else "")


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else plain(value)


async def _home(request: Request) -> Response:
    return RedirectResponse("/overview", 303)


def application(desk: Desk) -> Starlette:
    """All routes; put a `Gate` around it."""
    room = Room(desk)
    routes: list[Route | Mount] = [Route("/", _home)]
    for path, answer in RAW.items():
        routes.append(Route(path, partial(room.raw, answer)))
    for page in PAGES:
        routes.append(Route(page.path + ".json", partial(room.show, page, True)))
        routes.append(Route(page.path, partial(room.show, page, False)))
    routes += [Route(act.path, partial(room.act, act), methods=["POST"]) for act in ACTS]
    routes.append(Mount("/static", StaticFiles(directory=HERE / "static")))
    return Starlette(routes=routes, exception_handlers={404: room.lost, 405: room.lost})
