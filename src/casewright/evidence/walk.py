"""What readers share while one exhibit is walked: its damage, the secrets that open it, and the steps of the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casewright.engine.steps import Steps
from casewright.evidence.readers.disks import DamageLog


@dataclass(frozen=True)
class Walk:
    """`secrets` are passphrases and key files, as sealed. `limits` are the settings that bound what is unpacked."""

    steps: Steps
    limits: Mapping[str, int]
    secrets: Sequence[bytes] = ()
    log: DamageLog = field(default_factory=DamageLog)
