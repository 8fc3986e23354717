"""Every stage there is, in order, and which of them each verb asks for."""

from collections.abc import Mapping, Sequence

from casewright.chain.stages import STAGES as CHAIN
from casewright.engine.stage import Stage
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES as EVIDENCE
from casewright.extract.stages import STAGES as EXTRACT
from casewright.link.deconflict.stages import STAGES as DECONFLICT
from casewright.link.stages import JUDGED
from casewright.link.stages import STAGES as LINK
from casewright.media.stages import STAGES as MEDIA
from casewright.media.stages import WORKLIST
from casewright.refer.stages import AFTER
from casewright.refer.stages import STAGES as REFER

PIPELINE: Sequence[Stage] = (
    *SEALED, *EVIDENCE, *EXTRACT, *MEDIA, *CHAIN, *JUDGED, WORKLIST, *LINK, *DECONFLICT, *REFER, *AFTER,
)  # fmt: skip

OF_VERB: Mapping[str, Sequence[str]] = {
    "intake": [s.name for s in (*SEALED, *EVIDENCE)],
    "extract": [s.name for s in EXTRACT],
    "triage": [s.name for s in (*MEDIA, WORKLIST)],
    "first look": ["lists", "first_matches"],
    "trace": [s.name for s in CHAIN],
    "link": [s.name for s in (*LINK, *JUDGED)],
    "deconflict": [s.name for s in DECONFLICT],
    "refer": [s.name for s in REFER],
    "receipt": [s.name for s in (*SEALED, *AFTER)],
    "run": [s.name for s in PIPELINE],
}
