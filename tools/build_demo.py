"""Build the demo's seizure anew: `python tools/build_demo.py [FOLDER]`, by default over the committed one.

Needs mke2fs, debugfs, e2fsck, ewfacquire and a MariaDB server with its dump program (Debian: e2fsprogs, ewf-tools,
mariadb-server), and scikit-image for its sample photographs.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from casewright.demo import server
from casewright.demo.bookings import bookings
from casewright.demo.media import build_media
from casewright.demo.operation import build_operation
from casewright.demo.seizure_activity import build_activity
from casewright.demo.seizure_database import database_rows, dump_database
from casewright.demo.seizure_disk import acquire, build_disk
from casewright.demo.seizure_list import build_list
from casewright.demo.seizure_logs import access_logs
from casewright.demo.seizure_site import ORPHANS, build_site
from casewright.demo.seizure_truth import disk_truth, media_truth
from casewright.demo.story import tell

COMMITTED = Path(__file__).parents[1] / "src" / "casewright" / "demo" / "seizure"


def build(folder: Path) -> None:
    """Write image, hash list and both truths into `folder`."""
    media, activity = build_media(), build_activity()
    world = tell(build_operation())
    booked, _ = bookings(world.paid, world.ends)
    rows = database_rows(activity, media.files, booked)
    logs = access_logs(activity, media.files)
    site = build_site(media, activity, dump_database(rows), logs.files)
    knowns, listed = build_list(media.originals)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="cw-") as work:
        acquire(build_disk(site.placed, ORPHANS, Path(work)), folder / server.IMAGE)
    (folder / server.HASH_LIST).write_bytes(knowns)
    _write(folder / server.MEDIA_TRUTH, media_truth(media, site, listed))
    _write(folder / server.DISK_TRUTH, disk_truth(site, rows, logs))


def _write(path: Path, truth: dict[str, Any]) -> None:
    path.write_text(json.dumps(truth, indent=1, ensure_ascii=True) + "\n", "utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else COMMITTED)
