"""A virtual machine with a Debian kernel and the host's own programs, in which test images are made.

The machine's root is the host's root, read-only; its disks are plain files; a folder of the host is its /run/out.
It runs one Python script there and powers off. Needs qemu-system-x86, busybox-static and kmod.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODULES = (
    "arch/x86/crypto crypto lib drivers/block drivers/md drivers/virtio net/9p fs/9p fs/netfs fs/fscache fs/mbcache.ko "
    "fs/jbd2 fs/ext4 fs/xfs fs/btrfs fs/exfat fs/fat fs/nls fs/isofs fs/fuse"
).split()
LOADED = "virtio_pci virtio_blk 9pnet_virtio 9p dm-mod md-mod fuse crc32c_generic"
INIT = f"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /host /sbin
/bin/busybox --install -s /bin
/bin/busybox ln -s /bin/busybox /sbin/modprobe
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in {LOADED}; do modprobe $module; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /host
mount -t proc proc /host/proc
mount -t sysfs sys /host/sys
mount -t devtmpfs dev /host/dev
mount -t tmpfs tmp /host/tmp
mount -t tmpfs run /host/run
mkdir /host/run/out
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /host/run/out
PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot /host /usr/bin/python3 -B /run/out/SCRIPT 2>&1
sync
poweroff -f
"""


@dataclass(frozen=True)
class Machine:
    """A kernel and its first root file system, ready to boot."""

    kernel: Path
    initramfs: Path

    def run(self, out: Path, disks: Sequence[Path], seconds: int = 300) -> str:
        """Boot with these disks and this folder as /run/out; what the machine's console said."""
        drives = [f"-drive=file={disk},format=raw,if=virtio,cache=unsafe" for disk in disks]
        shares = [("/", "host", ",readonly=on"), (str(out), "out", "")]
        command = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
        command += (
            ["-enable-kvm", "-cpu", "host,arch-capabilities=off"] if os.access("/dev/kvm", os.W_OK) else ["-cpu", "max"]
        )
        command += ["-m", "1200", "-kernel", str(self.kernel), "-initrd", str(self.initramfs)]
        command += ["-append", "console=ttyS0 quiet panic=-1"]
        for path, tag, more in shares:
            command += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}"]
        for drive in drives:
            command += drive.split("=", 1)
        done = subprocess.run(command, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL)
        return (done.stdout + done.stderr).decode(errors="replace")


def prepare(work: Path, script: str) -> Machine:
    """Fetch Debian's current kernel into `work` and pack what the machine starts from; `script` lies in /run/out."""
    depends = _output("apt-cache", "depends", "linux-image-amd64")
    (package,) = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line]
    subprocess.run(["apt-get", "-qq", "download", package], check=True, cwd=work, stderr=subprocess.DEVNULL)
    (archive,) = work.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, work / "kernel"], check=True)
    release = package.removeprefix("linux-image-")
    initramfs = _initramfs(work, work / "kernel", release, script)
    return Machine(work / "kernel" / "boot" / f"vmlinuz-{release}", initramfs)


def _initramfs(work: Path, kernel: Path, release: str, script: str) -> Path:
    root = work / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy("/usr/bin/busybox" if Path("/usr/bin/busybox").exists() else "/bin/busybox", root / "bin" / "busybox")
    (root / "init").write_text(INIT.replace("SCRIPT", script), "utf-8")
    (root / "init").chmod(0o755)
    known = Path("lib") / "modules" / release
    for part in MODULES:
        origin, copy = kernel / known / "kernel" / part, root / known / "kernel" / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(origin, copy) if origin.is_dir() else shutil.copy(origin, copy)
    for listed in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(kernel / known / listed, root / known / listed)
    subprocess.run(["depmod", "-b", root, release], check=True)
    packed = work / "initramfs.cpio"
    pack = f"cd {root} && find . | busybox cpio -o -H newc > {packed} 2>/dev/null"
    subprocess.run(["sh", "-c", pack], check=True)
    return packed


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
