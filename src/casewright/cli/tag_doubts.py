"""What `trace` and `status` say against the tags: addresses on which they disagree, and clusters that join services."""

from typing import Any

from casewright.cli.console import Voice
from casewright.engine.query import Reader

MOST = 20
CONFLICTS = """
SELECT address, list(DISTINCT label ORDER BY label) AS labels
FROM tags
GROUP BY address
HAVING count(DISTINCT lower(coalesce(actor, label))) > 1
ORDER BY address
"""
JOINED = """
SELECT cluster, service_a, service_b, merges, cut_txids FROM joined_services ORDER BY cluster, service_a, service_b
"""


def tag_doubts(reader: Reader) -> dict[str, list[dict[str, Any]]]:
    """Addresses whose tags name different services, with the labels; and pairs of services that one cluster joins."""
    return {"conflicting_tags": reader.rows(CONFLICTS), "joined_services": reader.rows(JOINED)}


def tell_tag_doubts(voice: Voice, doubts: dict[str, list[dict[str, Any]]]) -> None:
    """Say nothing where there is nothing to say."""
    if conflicts := doubts["conflicting_tags"]:
        rows = [[row["address"], ", ".join(row["labels"])] for row in conflicts[:MOST]]
        many = "1 address" if len(conflicts) == 1 else f"{len(conflicts)} addresses"
        voice.table(["address", "tagged as"], rows, title=f"{many} with conflicting tags; all are kept")
    if joined := doubts["joined_services"]:
        rows = [[r["cluster"], r["service_a"], r["service_b"], ", ".join(r["cut_txids"]) or "no one merge parts them"]
                for r in joined[:MOST]]  # fmt: skip
        voice.table(["cluster", "service", "and", "joined by"], rows,
                    title="Clusters that join services: there a tag counts for its own address only")  # fmt: skip
