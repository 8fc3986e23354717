"""What `trace --picture` and `trace --graph` write. What left the case, the ledger says."""

import hashlib
from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.chain.drawing.graphs import FORMS
from casewright.chain.drawing.page import About, written
from casewright.chain.drawing.scene import scene_of
from casewright.cli.exports import may_be_written
from casewright.cli.work import reading
from casewright.engine.verify import require_tables
from casewright.model.errors import UsageError
from casewright.vault.case import Case
from casewright.vault.store import writing_atomically

HOPS = """
SELECT h.*, b.time FROM hops h LEFT JOIN transactions t USING (txid) LEFT JOIN blocks b ON b.hash = t.block
WHERE $payment IS NULL OR h.payment = $payment ORDER BY h.payment NULLS LAST, h.direction, h.step, h.hop
"""
PAYMENT = "SELECT p.*, a.username FROM payments p LEFT JOIN accounts a USING (account) WHERE p.payment = $payment"
SERVICES = "SELECT * FROM services WHERE payment = $payment ORDER BY direction, hops, service, id"
PICTURES = (".html", ".svg")


def export_picture(case: Case, payment: str, target: Path) -> dict[str, Any]:
    """The flow of one payment as a page or a drawing; the caller holds the case."""
    _ends_well(target, PICTURES, "--picture")
    require_tables(case)
    with reading(case) as reader:
        found = reader.rows(PAYMENT, {"payment": payment})
        if not found:
            raise UsageError(f"{payment} is no payment of this case. The table payments has them all.")
        account = found[0]["username"] or found[0]["account"]
        scene = scene_of(found[0], reader.rows(HOPS, {"payment": payment}), account)
        services = reader.rows(SERVICES, {"payment": payment})
    about = About(case.settings.case.title, account, "the site", case.settings.chain.taint, __version__)
    return _write(case, "picture", target, written(target.name, scene, services, about), payment)


def export_graph(case: Case, target: Path) -> dict[str, Any]:
    """All hops of the case for other programs; the caller holds the case."""
    _ends_well(target, tuple(FORMS), "--graph")
    require_tables(case)
    with reading(case) as reader:
        hops = reader.rows(HOPS, {"payment": None})
    return _write(case, "graph", target, FORMS[target.suffix.lower()](hops), "")


def _ends_well(target: Path, endings: tuple[str, ...], option: str) -> None:
    if target.suffix.lower() not in endings:
        raise UsageError(f"{option} writes files that end in {' or '.join(endings)}, not {target.name}.")
    may_be_written(target, option)


def _write(case: Case, form: str, target: Path, content: bytes, payment: str) -> dict[str, Any]:
    with writing_atomically(target) as file:
        file.write(content)
    digest = hashlib.sha256(content).hexdigest()
    case.ledger.append(("exported", {"form": form, "file": target.name, "payment": payment, "sha256": digest}))
    return {"file": str(target), "sha256": digest, "form": form, "payment": payment}
