"""Inside the virtual machine: makes the one set that /run/out/job names, and writes what its volumes hold.

Standard library only. The result is /run/out/result.json; without it, the console says what went wrong.
"""

import json
import os
import string

from images_recipes import SETS
from images_steps import OUT

LVM_CONF = """
devices { obtain_device_list_from_udev=0 use_devicesfile=0 }
activation { udev_sync=0 udev_rules=0 monitoring=0 thin_pool_autoextend_threshold=100 }
global { event_activation=0 use_lvmpolld=0 }
backup { backup=0 archive=0 }
"""


def main() -> None:
    os.environ.update(
        LVM_SYSTEM_DIR="/run/lvm-conf", DM_DISABLE_UDEV="1", MDADM_NO_UDEV="1", LVM_SUPPRESS_FD_WARNINGS="1"
    )
    os.makedirs("/run/lvm-conf")
    with open("/run/lvm-conf/lvm.conf", "w") as conf:
        conf.write(LVM_CONF)
    wanted = SETS[(OUT / "job").read_text()]
    disks = [f"/dev/vd{letter}" for letter in string.ascii_lowercase[: len(wanted.disks)]]
    volumes = wanted.make(disks)
    (OUT / "result.json").write_text(json.dumps(volumes))


if __name__ == "__main__":
    main()
