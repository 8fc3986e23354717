"""The four steps of comparing with another agency, by files; each side's ledger says what it sent, took and read.

One agency sends its set (setup), the other asks (request), is answered (answer), and reads (read): first how many both
have, then, when both want it, which. Nothing is told to the one that was asked. docs/deconfliction.md says what a peer
that does not play fair can learn.
"""

from casewright.link.deconflict.asked import Asked
from casewright.link.deconflict.asking import Asking


class Exchange(Asked, Asking):
    """An agency can be on either side."""
