"""`casewright why CASE ADDRESS ADDRESS`: the transactions that join two addresses."""

from dataclasses import asdict

from casewright.chain.proof import FORMAT, Proof, Step, proof_between
from casewright.cli.console import Voice
from casewright.engine.query import Reader

STEPS = 100
"""What a terminal shows before it says how many there are more; --json gives all."""


def tell_joined(voice: Voice, reader: Reader, start: str, end: str) -> None:
    """Say in plain words how the cluster joins them, or that it does not."""
    proof = proof_between(reader.table, start, end)
    steps = proof.steps
    document = {"format": FORMAT, "addresses": [proof.start, proof.end], "clusters": list(proof.clusters),
                "joined": steps is not None, "steps": [asdict(s) for s in steps or ()],
                "shortest": steps is not None and proof.limit is None, "limit": proof.limit,
                "merges": [asdict(s) for s in proof.merges]}  # fmt: skip
    voice.answer(document)
    if steps is None:
        voice.say(f"{proof.start} is in {proof.clusters[0]}, {proof.end} in {proof.clusters[1]}: nothing joins them.")
        return
    voice.say(_heading(proof), style="bold")
    voice.say(proof.start)
    for step in steps[:STEPS]:
        voice.say(f"  {_words(step)}")
        voice.say(step.address_b)
    if len(steps) > STEPS:
        voice.say(f"... and {len(steps) - STEPS} steps more; --json gives them all.")
    if len(proof.merges) > len(steps):
        voice.say(f"The merges that made the cluster lead there by {len(proof.merges)} transactions; --json has them.")
    voice.say("A lead, never a proof of one owner: who holds the keys, the chain does not say.")


def _heading(proof: Proof) -> str:
    count = len(proof.steps or ())
    if not count:
        return f"One and the same address, in {proof.clusters[0]}"
    fewest = "no fewer do" if proof.limit is None else f"perhaps fewer do: {proof.limit}"
    return f"Both are in {proof.clusters[0]}, joined by {count} transaction{'s' if count > 1 else ''}; {fewest}:"


def _words(step: Step) -> str:
    place = "" if step.height is None else f", block {step.height}"
    if step.heuristic == "co-spend":
        said = f"were spent together in {step.txid}{place}"
        said += "; no other transaction spends from both sides" if step.alone else ""
    elif step.heuristic == "change":
        said = f"the first paid in {step.txid}{place}, and what came back seems to be on the second: change"
    else:
        said = "carry tags of one name"
    return said + (f"; {step.doubt}" if step.doubt else "")
