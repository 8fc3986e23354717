"""The stages of the media room."""

from collections.abc import Mapping
from typing import Any

from casewright.engine.stage import Stage
from casewright.media.harmless import ITEM_COLUMNS, harmless
from casewright.media.hashing import media
from casewright.media.listing import lists
from casewright.media.matching import ENTRY_COLUMNS, matches
from casewright.media.order import groups, worklist
from casewright.media.pictures import KERNELS
from casewright.media.views import KERNELS as LOOKING
from casewright.media.views import views
from casewright.model.settings import Settings


def _decoding(settings: Settings) -> Mapping[str, Any]:
    return {"picture_pixels": settings.limits.picture_pixels, "frame_seconds": settings.media.frame_seconds}


def _judging(settings: Settings) -> Mapping[str, Any]:
    return {"pdq_distance": settings.media.pdq_distance, "pdq_quality": settings.media.pdq_quality,
            "frame_share": settings.media.frame_share}  # fmt: skip


def _looking(settings: Settings) -> Mapping[str, Any]:
    return {"picture_pixels": settings.limits.picture_pixels, "pdq_quality": settings.media.pdq_quality,
            "second_look": settings.media.second_look}  # fmt: skip


def _matching(settings: Settings) -> Mapping[str, Any]:
    return {**_judging(settings), "second_look": settings.media.second_look,
            "cut_distance": settings.media.cut_distance}  # fmt: skip


IS_MEDIUM = "mime LIKE 'image/%' OR mime LIKE 'video/%'"
HASHED = ("items", "media", "media_frames")
EACH_ONCE = """
item IN (SELECT min(i.item) FROM items i JOIN media m USING (item) WHERE m.kind = 'picture' GROUP BY i.sha256)
"""

STAGES = (
    Stage("media", 2, ("items",), ("media", "media_frames"), media, over="items",
          where=IS_MEDIUM, order="item", batch=32, hostile=True, params=_decoding, imports=KERNELS),
    Stage("views", 1, ("items", "media"), ("media_views",), views, over="items", where=EACH_ONCE, order="item",
          batch=32, hostile=True, beside={"media": "false"}, params=_looking, imports=LOOKING),
    Stage("lists", 2, ("exhibit_files",), ("list_entries",), lists, over="exhibit_files", where="role = 'list'",
          order="exhibit, position", batch=1, hostile=True, streams=True, noun="lists", key="exhibit",
          imports=("casewright.kernels.vicsspans",)),
    Stage("harmless", 1, ("exhibit_files", "items"), ("harmless",), harmless, over="exhibit_files",
          where="role = 'list'", order="exhibit, position", batch=1, hostile=True, streams=True, noun="databases",
          key="exhibit", columns={"items": ITEM_COLUMNS}, beside={"items": f"{IS_MEDIUM} ORDER BY item"}),
    Stage("matches", 3, (*HASHED, "media_views", "list_entries"), ("media_matches",), matches, params=_matching,
          columns={"list_entries": ENTRY_COLUMNS}),
    Stage("groups", 2, HASHED, ("media_groups",), groups, params=_judging),
    Stage("worklist", 2, ("items", "media", "media_matches", "media_groups", "uploads", "harmless"), ("worklist",),
          worklist),
)  # fmt: skip
