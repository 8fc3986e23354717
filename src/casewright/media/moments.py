"""When a frame is shown: seconds from the start of its video, whatever its time stamps are like.

The presentation time stamp counts; where there is none the decoding one, and where there is none either the frame
follows the one before it at the stream's average rate. Time never runs backwards: a stamp that lies a little before the
last one is taken for it, and after a larger step back (a recording that starts anew, two files joined) time goes on
where it was.
"""

from fractions import Fraction
from typing import Any

JUMP = 1.0
"""Seconds back from which time stamps are taken to start anew."""
USUAL = Fraction(25)


class Clock:
    """Gives the moment of one frame or packet after the other, in the order in which they are shown."""

    def __init__(self, stream: Any, start: float | None = None) -> None:
        rate = stream.average_rate or stream.base_rate or USUAL
        self._step = float(1 / rate) if 0 < rate <= 1000 else float(1 / USUAL)
        self._base = stream.time_base
        self._start, self._last, self._shift = start, 0.0, 0.0
        self.begun = False
        self.missing = self.backward = 0

    def of(self, frame: Any) -> float:
        """Seconds since the first one."""
        stamp = frame.dts if frame.pts is None else frame.pts
        if stamp is None:
            self.missing += 1
            moment = self._last + self._step if self.begun else 0.0
        else:
            moment = self._forward(float(stamp * (frame.time_base or self._base)))
        self._last, self.begun = moment, True
        return round(moment, 6)

    def _forward(self, stamped: float) -> float:
        if self._start is None:
            self._start = stamped
        moment = stamped - self._start + self._shift
        if moment >= self._last:
            return moment
        if self.begun:
            self.backward += 1
        if self._last - moment < JUMP or not self.begun:
            return self._last
        self._shift += self._last + self._step - moment
        return self._last + self._step

    def said(self) -> list[str]:
        """What was odd about the time stamps, in words."""
        words = [f"{self.missing} frames have no time stamp"] if self.missing else []
        return words + ([f"time stamps run backwards {self.backward} times"] if self.backward else [])
