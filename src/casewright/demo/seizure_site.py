"""The market's disk, name by name: web root, database dump, logs, backups, settings, and what hostile hands leave.

What is placed here, with the archives' members, is the truth about the disk.
"""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from casewright.demo.media import Media, MediaFile
from casewright.demo.seizure_activity import Activity
from casewright.demo.seizure_disk import MADE, Placed

WEB = b"var/www/glasshouse/"
DAY = 86_400
HOSTILE = (
    b"caf\xe9 \xff\xfe.jpg",
    "scan-\u202egpj.txe.jpg".encode(),
    b'=HYPERLINK("http:example.org","open me").jpg',
    b"@SUM(1+1)*cmd.jpg",
    b"line\nbreak.jpg",
    b" leading and trailing .jpg ",
    b"-rf --no-preserve-root.jpg",
    b"back\\slash%2e%2e%2f\x1b[31m.jpg",
    "<script>alert('vase')<\u2215script>.jpg".encode(),
    "\N{AMPHORA} \u6d77 \u0928.jpg".encode(),
    b"n" * 251 + b".jpg",
)
DELETED = b"tmp/upload-cache/"
ORPHANS = ((DELETED + b"php4f2a91c0.jpg", b"var/lib/glasshouse/queue.lock"),)


@dataclass(frozen=True)
class Site:
    """Everything on the disk, and the members of its archives by the archive's path."""

    placed: tuple[Placed, ...]
    members: Mapping[bytes, Mapping[str, bytes]] = field(default_factory=dict)
    undecodable: tuple[bytes, ...] = ()
    """Contents that begin like a picture or film and cannot be decoded to the end."""


def build_site(media: Media, activity: Activity, dump: bytes, logs: Mapping[str, bytes]) -> Site:
    sent = {a.media: int(a.at.replace(tzinfo=UTC).timestamp()) for a in reversed(activity.uploads)}
    stored = [
        Placed(WEB + f.path.encode(), f.content, sent.get(f.number, MADE - 900 * DAY + f.number * 3600))
        for f in media.files
    ]
    damaged = _damaged(media)
    archives = _archives(media)
    placed = [
        *stored,
        *_links(stored),
        *_hostile(media.files),
        *(Placed(WEB + b"unsorted/" + name, content, MADE - 40 * DAY) for name, content in damaged.items()),
        *_misnamed(media.loose),
        *_removed(media.files, media.loose),
        *_settings(),
        *(Placed(path, content, MADE - 30 * DAY) for path, (content, _) in archives.items()),
        *(Placed(b"var/log/nginx/" + name.encode(), content, MADE - 2 * 3600) for name, content in logs.items()),
        Placed(b"var/backups/glasshouse.sql", dump, MADE - 3 * 3600),
        Placed(
            b"var/backups/glasshouse.sql.yesterday", b"", MADE - 3 * 3600, "hard link", b"var/backups/glasshouse.sql"
        ),
    ]
    members = {path: listed for path, (_, listed) in archives.items()}
    return Site(tuple(placed), members, tuple(damaged.values()))


def _links(stored: Sequence[Placed]) -> Iterator[Placed]:
    yield Placed(WEB + b"media/latest.jpg", kind="symlink", target=stored[0].path.removeprefix(WEB + b"media/"))
    yield Placed(WEB + b"media/everything", kind="symlink", target=b"..")
    yield Placed(WEB + b"media/gone.jpg", kind="symlink", target=b"/nowhere/at/all.jpg")
    yield Placed(WEB + b"featured.bin", kind="hard link", target=stored[1].path, modified=stored[1].modified)


def _hostile(files: Sequence[MediaFile]) -> Iterator[Placed]:
    """Copies of stored pictures under names that break careless tools."""
    pictures = [f for f in files if f.suffix == "jpg"]
    for number, name in enumerate(HOSTILE):
        yield Placed(WEB + b"unsorted/" + name, pictures[number * 7].content, MADE - (50 + number) * DAY)


def _damaged(media: Media) -> Mapping[bytes, bytes]:
    """Files that begin well and stop, or are spoilt in the middle."""
    jpg = media.originals["coffee"]
    png = media.originals["vase-4"]
    film = next(f for f in media.files if f.base == "film-mosaic").content
    return {
        b"half.jpg": jpg[: len(jpg) * 55 // 100],
        b"spoilt.png": png[: len(png) // 2] + bytes(64) + png[len(png) // 2 + 64 :],
        b"head only.gif": next(f for f in media.files if f.suffix == "gif").content[:30],
        b"cut.mp4": film[:600],
    }


def _misnamed(loose: Sequence[MediaFile]) -> Iterator[Placed]:
    yield Placed(WEB + b"unsorted/readme.jpg", b"This is text, whatever its name says.\n", MADE - 41 * DAY)
    yield Placed(WEB + b"unsorted/notes.txt", loose[7].content, MADE - 41 * DAY)
    yield Placed(WEB + b"unsorted/empty.jpg", b"", MADE - 41 * DAY)
    yield Placed(WEB + b"unsorted/zeros.png", bytes(4096), MADE - 41 * DAY)


def _removed(files: Sequence[MediaFile], loose: Sequence[MediaFile]) -> Iterator[Placed]:
    """Deleted files whose content still stands; the first has lost its name as well."""
    copy = next(f for f in files if f.base == "chelsea" and f.transformation == "original")
    yield Placed(ORPHANS[0][0], loose[8].content, MADE - 9 * DAY, deleted=True)
    yield Placed(DELETED + b"phpa81be7d2.jpg", copy.content, MADE - 8 * DAY, deleted=True)
    yield Placed(DELETED + b"php0c55aa10.jpg", loose[4].content, MADE - 7 * DAY, deleted=True)
    yield Placed(DELETED + b"php77d0e1f3.jpg", loose[9].content, MADE - 6 * DAY, deleted=True)
    yield Placed(
        b"home/keeper/todo.txt",
        b"ask keeper@glasshouse.example.net about the bronze bells\n",
        MADE - 5 * DAY,
        deleted=True,
    )
    yield Placed(ORPHANS[0][1], b"4711\n", MADE - DAY)


def _settings() -> Iterator[Placed]:
    texts = {
        "etc/hostname": "glasshouse\n",
        "etc/timezone": "Europe/Amsterdam\n",
        "etc/hosts": "127.0.0.1 localhost\n192.0.2.10 glasshouse.example.net glasshouse\n",
        "etc/nginx/sites-enabled/glasshouse.conf": "server {\n  listen 192.0.2.10:80;\n  root /var/www/glasshouse;\n"
        "  access_log /var/log/nginx/access.log combined;\n  location /media { auth_basic members; }\n}\n",
        "etc/cron.d/backup": "5 21 * * * root mariadb-dump glasshouse > /var/backups/glasshouse.sql\n",
        "var/www/glasshouse/config.php": "<?php\nreturn ['db' => 'glasshouse', 'socket' => '/run/mysqld/mysqld.sock',\n"
        "  'mail' => 'keeper@glasshouse.example.net', 'media' => __DIR__ . '/media'];\n",
        "var/www/glasshouse/index.php": "<?php // Old things, new walls.\n",
        "var/www/glasshouse/README": "Glasshouse is an invented market for stolen museum scans.\nNone is real.\n",
        "usr/share/doc/glasshouse/copyright": "Every picture here is a sample photograph or was drawn by a program.\n",
    }
    for path, text in texts.items():
        yield Placed(path.encode(), text.encode(), MADE - 300 * DAY)


def _archives(media: Media) -> Mapping[bytes, tuple[bytes, Mapping[str, bytes]]]:
    """Each archive and its members: an older media folder, and pictures in a zip within a zip."""
    old = [*media.files[40:44], *(media.loose[n] for n in (0, 2, 5, 6, 11))]
    older = {f"media-2016/{n:03}.{f.suffix}": f.content for n, f in enumerate(old, 1)}
    inner = {
        "vase.jpg": media.loose[3].content,
        "cat.jpg": media.originals["chelsea"],
        "field.jpg": media.loose[10].content,
    }
    table = b"scan,price_btc,contact\r\nblue vase,0.04,keeper@glasshouse.example.net\r\nmosaic,0.02,\r\n"
    inner_zip = zipped(inner)
    outer = {"prices.csv": table, "inner.zip": inner_zip, "again/rocket.jpg": media.loose[1].content}
    return {
        b"var/backups/media-2016.tar.gz": (tarred(older), older),
        b"home/keeper/transfer.zip": (
            zipped(outer),
            outer | {f"inner.zip!/{name}": raw for name, raw in inner.items()},
        ),
    }


def zipped(members: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members.items():
            information = zipfile.ZipInfo(name, (2017, 9, 3, 12, 0, 0))
            information.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".csv") else zipfile.ZIP_STORED
            archive.writestr(information, content)
    return held.getvalue()


def tarred(members: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            information = tarfile.TarInfo(name)
            information.size, information.mtime = len(content), int(datetime(2016, 12, 24, tzinfo=UTC).timestamp())
            archive.addfile(information, io.BytesIO(content))
    return gzip.compress(held.getvalue(), mtime=0)
