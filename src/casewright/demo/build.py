"""Building the demo's evidence: the committed server disk, and the chain, papers and truth made on the spot."""

import json
import shutil
from pathlib import Path
from typing import Any

from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.demo.papers import write_papers
from casewright.demo.server import unpack_seizure
from casewright.demo.truth import truth


def build_demo(folder: Path) -> dict[str, Any]:
    """Write everything below `folder` and return the truth, which is also written to `folder/truth/truth.json`."""
    operation = build_operation()
    for name in ("bitcoin", "tags", "returns"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    *_, media_truth, disk_truth = unpack_seizure(folder)
    for path in (media_truth, disk_truth):
        path.replace(folder / "truth" / path.name)
    chain = write_chain(operation, folder / "bitcoin")
    write_papers(operation, chain, folder)
    media = json.loads((folder / "truth" / media_truth.name).read_text("utf-8"))
    disk = json.loads((folder / "truth" / disk_truth.name).read_text("utf-8"))
    found = truth(operation, chain, media, disk)
    (folder / "truth" / "truth.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return found
