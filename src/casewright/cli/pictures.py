"""What `trace --picture` and `trace --graph` write. What left the case, the ledger says."""

from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.chain.drawing.asked import HOPS, PAYMENT, SERVICES
from casewright.chain.drawing.graphs import FORMS
from casewright.chain.drawing.page import About, written
from casewright.chain.drawing.scene import scene_of
from casewright.cli.exports import may_be_written, write_export
from casewright.engine.query import Reader
from casewright.engine.verify import require_tables
from casewright.model.errors import UsageError
from casewright.vault.case import Case

PICTURES = (".html", ".svg")


def export_picture(case: Case, payment: str, target: Path) -> dict[str, Any]:
    """The flow of one payment as a page or a drawing; the caller holds the case."""
    may_be_written(target, "--picture", PICTURES)
    require_tables(case)
    with Reader(case.tables) as reader:
        found = reader.rows(PAYMENT, {"payment": payment})
        if not found:
            raise UsageError(f"{payment} is no payment of this case. The table payments has them all.")
        account = found[0]["username"] or found[0]["account"]
        scene = scene_of(found[0], reader.rows(HOPS, {"payment": payment}), account)
        services = reader.rows(SERVICES, {"payment": payment})
    about = About(case.settings.case.title, account, "the site", case.settings.chain.taint, __version__)
    return write_export(case, "picture", target, written(target.name, scene, services, about), payment)


def export_graph(case: Case, target: Path) -> dict[str, Any]:
    """All hops of the case for other programs; the caller holds the case."""
    may_be_written(target, "--graph", tuple(FORMS))
    require_tables(case)
    with Reader(case.tables) as reader:
        hops = reader.rows(HOPS, {"payment": None})
    return write_export(case, "graph", target, FORMS[target.suffix.lower()](hops))
