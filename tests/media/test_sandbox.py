"""The room's decoders in a child that has given up its rights: they open nothing, and what they find is the same."""

import io
import shutil
from pathlib import Path

import pytest

from casewright.engine.query import Reader
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES as EVIDENCE
from casewright.media.pictures import with_pixels
from casewright.media.stages import STAGES
from casewright.media.videos import read_frames
from casewright.media.views import views_of
from casewright.vault.case import Case, SourceFile
from tests.media.films import film
from tests.media.test_forms import FORMS, in_raw, phone, read


@pytest.fixture
def seized(case: Case, tmp_path: Path) -> Case:
    folder = tmp_path / "server"
    folder.mkdir()
    contents = {form: made() for form, (_, made) in FORMS.items()} | {"raw": in_raw("NEF"), "film": film(2)}
    if shutil.which("heif-enc"):
        contents["phone"] = phone(tmp_path)
    contents["cut"] = contents["JPEG"][:2000]
    for number, raw in enumerate(contents.values()):
        (folder / f"{number:02}").write_bytes(raw)
    names = {f"{n:02}".encode(): form for n, form in enumerate(contents)}
    with case.writing():
        case.seal_settings()
        case.seal_source([SourceFile(folder / p.decode(), p) for p in names], "seizure", "server")
    return case


def test_every_form_is_hashed_in_the_sandbox_as_outside(seized: Case) -> None:
    with seized.writing():
        Runner(TableFolder(seized.tables), seized.store, seized.ledger, seized.settings, (*SEALED, *EVIDENCE, *STAGES),
               Inline()).run(["frames", "views"])  # fmt: skip
    with Reader(seized.tables) as reader:
        found = reader.rows("SELECT i.sha256, m.pdq FROM media m JOIN items i USING (item) WHERE m.kind = 'picture'")
        aside = reader.rows("SELECT reason, noun FROM set_aside")
        films = reader.rows("SELECT * FROM media WHERE kind = 'video'")
        frames = reader.rows("SELECT second, pdq, pdq_quality FROM media_frames ORDER BY second")
        views = reader.rows("SELECT i.sha256, list(v.pdq ORDER BY view) AS pdqs FROM media_views v "
                            "JOIN items i USING (item) GROUP BY i.sha256")  # fmt: skip
    assert [(a["noun"], a["reason"]) for a in aside] == [("media", "truncated")]
    assert len(films) == 1
    outside = read_frames(io.BytesIO(film(2)), 1.0, 10**9, 10**12).frames
    assert [(f["second"], f["pdq"], f["pdq_quality"]) for f in frames] == outside
    assert len(found) >= len(FORMS) + 1
    for row in found:
        with seized.store.open(row["sha256"]) as file:
            assert row["pdq"] == read(file.read()).pdq
    assert {row["sha256"] for row in views} == {row["sha256"] for row in found}
    for row in views:
        with seized.store.open(row["sha256"]) as file:
            alone = with_pixels(file, 10**9, None, lambda pixels, orientation, *_: views_of(pixels, orientation, 50))
        assert row["pdqs"] == [b"".join(alone[view]) for view in sorted(alone)]
