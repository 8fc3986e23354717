"""Videos: keyframes, and a frame a second, against vpdq's frame a second. Processor time of one core, in turns.

uv run python bench/video_speed.py [--vpdq PYTHON] [--out FILE] [VIDEO...]

vpdq has no wheels: `apt install libavcodec-dev libavformat-dev libswscale-dev cmake g++`, then
`uv venv FOLDER && uv pip install -p FOLDER --no-binary vpdq vpdq`, and `--vpdq FOLDER/bin/python`. It is BSD and
only measured. Without VIDEO two are made.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import av
from claims import claims_option
from figures import CHILD, Line, Table, race
from films import Form, encoded, shots

from casewright.media.videos import read_frames, read_keyframes

MOST = 10**15
KEYS = {"keyframes": "keyframes", "a frame a second": "sampled"}
PEER = """
import json, sys, time, vpdq
wall, cpu = time.perf_counter(), time.process_time()
found = vpdq.computeHash(sys.argv[1], seconds_per_hash=1, thread_count=1)
print(json.dumps({"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "frames": len(found)}))
"""


def main() -> None:
    options = argparse.ArgumentParser(description="hashing videos, side by side")
    options.add_argument("videos", nargs="*", type=Path)
    options.add_argument("--vpdq", help="the Python of an environment that has vpdq (default: this one, if it has)")
    options.add_argument("--out", type=Path, help="write the table here")
    claims_option(options)
    chosen = options.parse_args()
    python = chosen.vpdq or (sys.executable if find_spec("vpdq") else None)
    table = Table("video_speed")
    with tempfile.TemporaryDirectory() as folder:
        for path in chosen.videos or made(Path(folder)):
            measure(table, path, python)
    print("\n" + table.markdown())
    if chosen.out:
        chosen.out.write_text(table.markdown(), "utf-8")
    table.end(chosen.claims)


def made(folder: Path) -> list[Path]:
    paths = []
    for name, size in (("720p", (1280, 720)), ("1080p", (1920, 1080))):
        paths.append(folder / f"{name}.mp4")
        paths[-1].write_bytes(encoded(shots(1, 40, Random(1)), Form(rate=25, size=size), Random(1)))
    return paths


def measure(table: Table, path: Path, python: str | None) -> None:
    """Speeds as multiples of real time: how many seconds of video in a second of processor time."""

    def keyframes() -> Any:
        with path.open("rb") as file:
            return {"keyframes": len(read_keyframes(file, 1.0, MOST).frames)}

    def sampled() -> Any:
        with path.open("rb") as file:
            return {"frames": len(read_frames(file, 1.0, MOST, MOST).frames)}

    def decoded() -> Any:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_count = 1
            return {"decoded": sum(1 for _ in container.decode(video=0))}

    sides = {"keyframes": keyframes, "a frame a second": sampled, "bound: decoding alone": decoded}
    if python:
        sides["vpdq"] = lambda: peer(path, python)
    took, answers = race(sides, 5)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        lasts = float(stream.duration * stream.time_base)
        what = f"{path.stem}, {stream.width}×{stream.height}, {stream.codec_context.name}"
    peer_took = took.get("vpdq")
    for name in ("keyframes", "a frame a second", "bound: decoding alone"):
        mine = took[name]
        key = f"{KEYS[name]}-{path.stem}" if name in KEYS and path.stem in ("720p", "1080p") else ""
        figures = (lasts / peer_took.wall, lasts / peer_took.cpu) if peer_took else (None, None)
        table.add(Line(name, what, "vpdq", "× real time", lasts / mine.wall, lasts / mine.cpu, *figures,
                       note="" if peer_took else "vpdq is not there"), key)  # fmt: skip
    print(answers)


def peer(path: Path, python: str) -> Any:
    done = subprocess.run([python, "-c", PEER, str(path)], check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    return {CHILD: answer.pop("seconds"), **answer}


if __name__ == "__main__":
    sys.exit(main())
