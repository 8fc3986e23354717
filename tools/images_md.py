"""Recipes: Linux software RAID, made by mdadm and the kernel's md driver."""

import os

from images_steps import ImageSet, Recipe, Volume, filled, listed, mounted, run

ARRAY = "/dev/md0"


def array(level: str, *options: str, metadata: str = "1.2") -> Recipe:
    """An array over all disks with ext4 inside, resynchronised and cleanly stopped."""

    def make(disks: list[str]) -> list[Volume]:
        create(disks, level, *options, metadata=metadata)
        volume = filled(ARRAY, "ext4")
        run("mdadm", "--stop", ARRAY)
        return [volume]

    return make


def create(disks: list[str], level: str, *options: str, metadata: str = "1.2") -> None:
    common = ["--run", f"--level={level}", f"--metadata={metadata}", f"--raid-devices={len(disks)}"]
    run("mdadm", "--create", ARRAY, *common, *options, *disks)
    settle()


def settle() -> None:
    """Wait until no resync or recovery is under way; mdadm says 1 when there was none."""
    os.system(f"mdadm --wait {ARRAY} >/dev/null 2>&1")


def degraded(level: str, *options: str) -> Recipe:
    """An array that lost its second disk before anything was written to it."""

    def make(disks: list[str]) -> list[Volume]:
        create(disks, level, *options)
        lose(disks[1])
        volume = filled(ARRAY, "ext4")
        run("mdadm", "--stop", ARRAY)
        return [volume]

    return make


def lose(disk: str) -> None:
    run("mdadm", ARRAY, "--fail", disk)
    run("mdadm", ARRAY, "--remove", disk)


def stale(disks: list[str]) -> list[Volume]:
    """A mirror whose second disk was lost with the tree on it, after which one file was changed and one added."""
    create(disks, "1")
    filled(ARRAY, "ext4")
    lose(disks[1])
    with mounted(ARRAY, "ext4") as top:
        (top / "letters" / "harbour.txt").write_bytes(b"written after the second disk was lost\n")
        (top / "added-later.txt").write_bytes(b"only the first disk knows this file\n")
    volume = listed(ARRAY, "ext4")
    run("mdadm", "--stop", ARRAY)
    return [volume]


def raid5(name: str) -> ImageSet:
    return ImageSet(f"md raid5 {name}, metadata 1.2", (12,) * 3, array("5", f"--layout={name}", "--chunk=64"))


SETS = {
    "md-raid1": ImageSet("md raid1, metadata 1.2", (16, 16), array("1")),
    "md-raid0-2": ImageSet("md raid0 of 2, chunk 64K, metadata 1.2", (12, 12), array("0", "--chunk=64")),
    "md-raid0-3": ImageSet("md raid0 of 3, chunk 64K, metadata 1.2", (10,) * 3, array("0", "--chunk=64")),
    "md-raid5-left-symmetric": raid5("left-symmetric"),
    "md-raid5-left-asymmetric": raid5("left-asymmetric"),
    "md-raid5-right-symmetric": raid5("right-symmetric"),
    "md-raid5-right-asymmetric": raid5("right-asymmetric"),
    "md-raid1-1.0": ImageSet("md raid1, metadata 1.0", (16, 16), array("1", metadata="1.0")),
    "md-raid1-1.1": ImageSet("md raid1, metadata 1.1", (16, 16), array("1", metadata="1.1")),
    "md-raid1-0.90": ImageSet("md raid1, metadata 0.90", (16, 16), array("1", metadata="0.90")),
    "md-raid5-0.90": ImageSet("md raid5 left-symmetric, metadata 0.90", (12,) * 3, array("5", metadata="0.90")),
    "md-raid5-degraded": ImageSet(
        "md raid5 left-symmetric, written while its member 1 was missing", (12,) * 3, degraded("5"), left_out=(1,)
    ),
    "md-raid5-one-away": ImageSet(
        "md raid5 left-symmetric, whole, of which member 1 is not at hand", (12,) * 3, array("5"), left_out=(1,)
    ),
    "md-raid1-stale": ImageSet("md raid1 whose member 1 fell behind", (16, 16), stale),
    "md-raid0-unequal": ImageSet(
        "md raid0, members of unequal size, layout original", (8, 14, 20), array("0", "--chunk=64", "--layout=original")
    ),
    "md-raid0-unequal-alternate": ImageSet(
        "md raid0, members of unequal size, layout alternate",
        (8, 14, 20),
        array("0", "--chunk=64", "--layout=alternate"),
    ),
    "md-raid10-near2": ImageSet("md raid10 near 2 of 4", (10,) * 4, array("10", "--layout=n2", "--chunk=64")),
    "md-raid10-near2-of-3": ImageSet("md raid10 near 2 of 3", (10,) * 3, array("10", "--layout=n2", "--chunk=64")),
    "md-raid10-far2": ImageSet("md raid10 far 2 of 3", (10,) * 3, array("10", "--layout=f2", "--chunk=64")),
    "md-raid10-offset2": ImageSet("md raid10 offset 2 of 3", (10,) * 3, array("10", "--layout=o2", "--chunk=64")),
    "md-raid6": ImageSet("md raid6 left-symmetric of 4", (10,) * 4, array("6", "--chunk=64")),
    "md-raid6-two-away": ImageSet(
        "md raid6 left-symmetric of 4, whole, of which members 0 and 2 are not at hand",
        (10,) * 4,
        array("6", "--chunk=64"),
        left_out=(0, 2),
    ),
    "md-raid4": ImageSet("md raid4 of 3", (12,) * 3, array("4", "--chunk=64")),
    "md-linear": ImageSet("md linear of 3", (8, 10, 12), array("linear")),
}
