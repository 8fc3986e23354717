"""The stages of the media room."""

from collections.abc import Mapping
from typing import Any

from casewright.engine.stage import Stage
from casewright.media.harmless import ITEM_COLUMNS, harmless
from casewright.media.hashing import media
from casewright.media.listing import lists
from casewright.media.matching import ENTRY_COLUMNS, first_matches, matches
from casewright.media.order import groups, worklist
from casewright.media.pictures import KERNELS
from casewright.media.sampling import frames
from casewright.model.settings import Settings


def _decoding(settings: Settings) -> Mapping[str, Any]:
    return {"picture_pixels": settings.limits.picture_pixels, "frame_seconds": settings.media.frame_seconds}


def _sampling(settings: Settings) -> Mapping[str, Any]:
    return {**_decoding(settings), "video_pixels": settings.limits.video_pixels}


def _judging(settings: Settings) -> Mapping[str, Any]:
    return {"pdq_distance": settings.media.pdq_distance, "pdq_quality": settings.media.pdq_quality,
            "frame_share": settings.media.frame_share, "excerpt_seconds": settings.media.excerpt_seconds,
            "common_films": settings.media.common_films,
            "common_seconds": settings.media.common_seconds}  # fmt: skip


IS_MEDIUM = "mime LIKE 'image/%' OR mime LIKE 'video/%'"
IS_VIDEO = "mime LIKE 'video/%' AND item IN (SELECT item FROM media WHERE kind = 'video')"
HASHED = ("items", "media", "media_frames")

STAGES = (
    Stage("media", 3, ("items",), ("media", "media_keyframes"), media, over="items",
          where=IS_MEDIUM, order="item", batch=32, hostile=True, params=_decoding, imports=KERNELS),
    Stage("lists", 2, ("exhibit_files",), ("list_entries",), lists, over="exhibit_files", where="role = 'list'",
          order="exhibit, position", batch=1, hostile=True, streams=True, noun="lists", key="exhibit",
          imports=("casewright.kernels.vicsspans",)),
    Stage("harmless", 1, ("exhibit_files", "items"), ("harmless",), harmless, over="exhibit_files",
          where="role = 'list'", order="exhibit, position", batch=1, hostile=True, streams=True, noun="databases",
          key="exhibit", columns={"items": ITEM_COLUMNS}, beside={"items": f"{IS_MEDIUM} ORDER BY item"}),
    Stage("first_matches", 1, ("items", "media", "media_keyframes", "list_entries"), ("first_matches",), first_matches,
          params=_judging, columns={"list_entries": ENTRY_COLUMNS}),
    Stage("frames", 1, ("items", "media"), ("media_frames", "media_between"), frames, over="items", where=IS_VIDEO,
          order="exhibit, sha256, item", batch=8, hostile=True, streams=True, noun="videos", beside={"media": "false"},
          params=_sampling, imports=KERNELS),
    Stage("matches", 3, (*HASHED, "media_between", "media_keyframes", "list_entries"), ("media_matches",), matches,
          params=_judging, columns={"list_entries": ENTRY_COLUMNS}),
    Stage("groups", 2, HASHED, ("media_groups",), groups, params=_judging),
    Stage("worklist", 3, ("items", "media", "media_matches", "media_groups", "uploads", "harmless"), ("worklist",),
          worklist),
)  # fmt: skip
