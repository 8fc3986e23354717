"""What readers share while one exhibit is walked: its damage, the secrets that open it, and the steps of the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casewright.engine.steps import Steps
from casewright.evidence.readers.disks import DamageLog


@dataclass
class Allowance:
    """Bytes that were taken from free space so far."""

    taken: int = 0


@dataclass(frozen=True)
class Walk:
    """`secrets` are passphrases and key files, as sealed. `limits` are the settings that bound what is unpacked."""

    steps: Steps
    limits: Mapping[str, int]
    secrets: Sequence[bytes] = ()
    texts: Allowance = field(default_factory=Allowance)
    log: DamageLog = field(default_factory=DamageLog)
