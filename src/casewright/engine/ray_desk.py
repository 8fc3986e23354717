"""Where workers of a cluster ask for bytes, and where the process that holds the case finds their questions.

The case's machine need not be a node of the cluster, so no worker could reach it: it comes for the questions itself,
and leaves each answer in Ray's object store, from where it goes to the worker that asked.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from casewright.engine.ray_messages import Question


class Desk:
    """An actor: its methods run one at a time, but wait together."""

    def __init__(self) -> None:
        self._new: list[tuple[int, Question]] = []
        self._answers: dict[int, asyncio.Future[Sequence[Any]]] = {}
        self._some = asyncio.Event()
        self._number = 0

    async def ask(self, question: Question) -> Sequence[Any]:
        """A worker asks; where its answer is comes back when there is one."""
        self._number += 1
        number = self._number
        answer = self._answers[number] = asyncio.Future()
        self._new.append((number, question))
        self._some.set()
        try:
            return await answer
        finally:
            del self._answers[number]

    async def questions(self) -> list[tuple[int, Question]]:
        """All that was asked since the last time; waits until something is."""
        await self._some.wait()
        self._some.clear()
        found, self._new = self._new, []
        return found

    async def answer(self, number: int, where: Sequence[Any]) -> None:
        """`where` is a list, so that what it names is not brought here."""
        waiting = self._answers.get(number)
        if waiting and not waiting.done():
            waiting.set_result(where)
