"""Walks an ext4 image with dissect, as a program of its own: `names` lists with records, `hash` reads all too."""

import hashlib
import json
import sys
import time

from dissect.extfs import ExtFS


def main(image: str, how: str) -> None:
    started, digests, count = time.process_time(), [], 0
    with open(image, "rb") as file:  # noqa: PTH123
        stack = [ExtFS(file).root]
        while stack:
            for name, node in stack.pop().listdir().items():
                if name in (".", "..", "lost+found"):
                    continue
                count += 1
                _ = node.size, node.mtime
                if node.filetype == 0x4000:
                    stack.append(node)
                elif how == "hash" and node.filetype == 0x8000:
                    digests.append(hashlib.sha256(node.open().read()).hexdigest())
    seconds = time.process_time() - started
    check = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "entries": count, "check": check}))


main(sys.argv[1], sys.argv[2])
