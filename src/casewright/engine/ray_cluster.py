"""Reaching a cluster: one of this machine alone, started for a run, or one that is there already.

Ray sends nothing home, draws no dashboard and copies no folder to its workers. Its ports take only who knows the token
(https://docs.ray.io/en/latest/ray-security/token-auth.html): of a cluster that a run starts, nobody but the run.
"""

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from casewright.engine import ray_worker
from casewright.engine.ray_cache import hold
from casewright.model.errors import Missing

LOOPBACK = "127.0.0.2"
"""Ray replaces 127.0.0.1 by an address that others can reach; other addresses of the loopback it keeps."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would copy the working folder, which may hold a case, to all workers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # by default a worker gives way to everything else on the machine
    "RAY_idle_worker_killing_time_threshold_ms": "600000",  # a new one imports everything anew
}
MODE, TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
OBJECTS = 1 << 30
"""Bytes of memory in which a cluster of this machine alone passes objects."""


_OWN_TOKEN = secrets.token_hex(32)
"""Of clusters that this process starts; Ray takes up one in a process's life."""


def ray(own: bool) -> Any:
    """The module, which is an extra. `own`: for a cluster that this process starts. Raises Missing without it."""
    os.environ.update(QUIET)  # Ray reads them when it is imported, and hands them on to what it starts
    if own:
        os.environ.update({MODE: "token", TOKEN: _OWN_TOKEN})
    else:
        os.environ.setdefault(MODE, "token")
    try:
        import ray as found  # noqa: PLC0415
    except ImportError as error:
        raise Missing("Ray is not installed. Install it with: pip install 'casewright[ray]'") from error
    return found


class Cluster:
    """A cluster, as long as it is used. `address`: `HOST:PORT` of one of which this machine is a node, `ray://HOST:PORT`
    of one of which it is none, or empty for this machine alone."""

    def __init__(self, address: str, workers: int) -> None:
        self.address, self.ray = address, ray(not address)
        self.run = secrets.token_hex(8)
        self._own: tuple[Path, int] | None = None
        if address:
            self._at(address)
        else:
            self._start(workers)
        self.remote = Remote(self.ray)

    @property
    def name(self) -> str:
        return self.address or "the cluster of this machine"

    @property
    def places(self) -> int:
        """Units that can be worked on at once."""
        return max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def nodes(self) -> list[str]:
        return [str(n["NodeID"]) for n in self.ray.nodes() if n["Alive"]]

    def close(self) -> None:
        """Leave it; one that was started for the run ends, with all that it kept."""
        if self.ray.is_initialized() and not self._own:
            self.remote.forget(self.run, self.nodes())
        self.ray.shutdown()
        if self._own:
            folder, handle = self._own
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)
            ray_worker.forget(self.run)

    def _at(self, address: str) -> None:
        for last in (False, False, True):  # a server for this client is forked there, and now and then it hangs
            try:
                self.ray.init(address, log_to_driver=False, logging_level="ERROR")
                return
            except (ConnectionError, RuntimeError, ValueError) as error:
                if last or "Initialization failure" not in str(error):
                    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "no answer")
                    raise Missing(
                        f"no cluster answers at {address}: {said} Is it running, and is its token known here? See "
                        "docs/guides/cluster.md."
                    ) from error

    def _start(self, workers: int) -> None:
        base = Path(tempfile.gettempdir()) / f"cw-ray-{os.getuid()}"  # short: Ray makes sockets below it
        base.mkdir(mode=0o700, exist_ok=True)
        folder = base / self.run[:6]
        self._own = folder, hold(folder)
        try:
            self.ray.init(
                address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False,
                logging_level="ERROR", configure_logging=False, object_store_memory=OBJECTS,
                _node_ip_address=LOOPBACK, _temp_dir=str(folder),
            )  # fmt: skip
        except (RuntimeError, OSError, self.ray.exceptions.RayError) as error:
            said = str(error).strip().partition("\n")[0]
            raise Missing(f"Ray could not be started here: {said} Run with: --on processes") from error


class Remote:
    """What runs on the cluster: the desk, and the work of its workers."""

    def __init__(self, ray: Any) -> None:
        from casewright.engine.ray_desk import Desk  # noqa: PLC0415  asyncio is slow to import

        self._ray = ray
        head = {"node:__internal_head__": 0.001}  # the one node that a cluster cannot go on without
        self.desk = ray.remote(num_cpus=0, resources=head, max_concurrency=1000)(Desk).remote()
        self.work_on = ray.remote(num_cpus=1, max_retries=3, scheduling_strategy="SPREAD")(ray_worker.work_on)
        self._forget = ray.remote(num_cpus=0)(ray_worker.forget)
        self.listen()

    def listen(self) -> None:
        """Ask for what workers ask next. There is one such call at a time: of two, the wrong one might be told."""
        self.questions = self.desk.questions.remote()

    def forget(self, run: str, nodes: list[str]) -> None:
        """Every node removes what it holds of the run; one that is gone does so when it works again."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as At  # noqa: PLC0415

        asked = [self._forget.options(scheduling_strategy=At(node, soft=False)).remote(run) for node in nodes]
        with suppress(self._ray.exceptions.RayError):
            self._ray.wait(asked, num_returns=len(asked), timeout=10)
