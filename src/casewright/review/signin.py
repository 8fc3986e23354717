"""Coming in with a name and a password: the door of a room that other machines reach.

Whoever comes in is written to the ledger before they are let in. After five wrong passwords for a name, or twenty from
an address, both within a quarter of an hour, nobody is let in by that name or from there until it is over.
"""

import threading
import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from casewright.review.users import User, Users

WINDOW = 15 * 60
MOST_BY_NAME, MOST_BY_ADDRESS = 5, 20
REMEMBERED = 10_000
IDLE, LONGEST = 30 * 60, 12 * 3600
"""Seconds after which a session ends: without a step, and in all."""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in</title>
<link rel="stylesheet" href="/static/style.css"></head><body><main><h1>Sign in</h1>
<p role="status">{message}</p>
<form method="post" action="/enter" autocomplete="off">
<p><label>Name <input name="name" required autofocus></label></p>
<p><label>Password <input name="password" type="password" required></label></p>
<button class="main">Sign in</button></form>
</main></body></html>"""
Record = Callable[[str, Mapping[str, Any]], None]


class Failures:
    """Counts what was tried in vain, lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._times, self._turn = clock, {}, threading.Lock()  # type: ignore[var-annotated]

    def count(self, what: str) -> int:
        """How often within the window."""
        with self._turn:
            return len(self._lately(what))

    def add(self, what: str) -> int:
        """Note one more; how often it was with this one."""
        with self._turn:
            if len(self._times) >= REMEMBERED:
                self._times = {one: self._lately(one) for one in self._times if self._lately(one)}
            self._times[what] = [*self._lately(what), self._clock()]
            return len(self._times[what])

    def _lately(self, what: str) -> list[float]:
        return [at for at in self._times.get(what, []) if at > self._clock() - WINDOW]


class SignIn:
    """Decides who comes in. `record` writes to the ledger, or raises when it cannot: then nobody is let in."""

    def __init__(self, users: Users, record: Record, failures: Failures | None = None) -> None:
        self.users, self._record, self._failures = users, record, failures or Failures()

    def enter(self, form: Mapping[str, str], address: str) -> tuple[User | None, str]:
        """The user who comes in; otherwise nobody, and why. Nobody learns from it which names there are."""
        name, password = form.get("name", "")[:200], form.get("password", "")
        of_name, of_address = f"name {name}", f"address {address}"
        if self._failures.count(of_name) >= MOST_BY_NAME or self._failures.count(of_address) >= MOST_BY_ADDRESS:
            return None, "Too many wrong passwords. Try again in a quarter of an hour."
        user = self.users.check(name, password)
        if user is None:
            if self._failures.add(of_name) == MOST_BY_NAME or self._failures.add(of_address) == MOST_BY_ADDRESS:
                self._record("review refused", {"examiner": name, "address": address, "tries": MOST_BY_NAME})
            return None, "That is no name and password that come in here."
        self._record("review sign-in", {"examiner": user.name, "role": user.role, "address": address})
        return user, ""


def page(message: str) -> str:
    return PAGE.format(message=escape(message))
