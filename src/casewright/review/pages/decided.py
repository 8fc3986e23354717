"""What was decided last, so that it can be looked at and decided again."""

from typing import Any

from casewright.review.page import Ask, Page

MOST = 200


def find(ask: Ask) -> dict[str, Any]:
    return {"decided": ask.desk.journal.latest(MOST)}


PAGES = (Page("/decided", "decided.html", find),)
