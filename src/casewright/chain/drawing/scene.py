"""What a picture of one payment shows: wallets and services in columns, and what went from one to the next.

The payment stands in column 0. Left of it, in column -n, is who paid n hops before; right of it where the money went.
A wallet that is met at several distances stands there each time, so that everything flows from left to right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casewright.model.ids import printable_path

Row = Mapping[str, Any]
MOST_FLOWS = 60
"""Flows that are drawn; of more the smallest are left out, and the picture says how much they are."""
NODES = {
    "service": "a service that can be asked who its customer is",
    "mixer": "a mixer: coins of many people",
    "coinjoin": "strangers mixed their coins: nobody can tell whose went where",
    "tagged": "named by a tag, but no service to ask",
    "joined": "coins of several services: nobody can tell whose",
    "mined": "newly mined: nobody paid them",
    "missing": "not in the chain files",
    "age": "older than the limit of this trace",
    "wallet": "owner not known",
    "market": "the site's own",
}
"""Kinds of nodes, and what each means to somebody who never saw one."""
ENDINGS = {
    "hops": "not followed further: limit of hops",
    "transactions": "not followed further: limit of one trace",
    "age": "not followed further: limit of days",
    "dust": "not followed further: too small",
    "crossed": "goes on as shown where it was met first",
    "market": "the site's own wallet",
    "unspent": "still there: not spent yet",
    "missing": "not followed further: not read",
    "coinjoin": "goes into a CoinJoin: not followed",
    "pooled": "behaves like a service that pools its customers' coins: not followed",
}
"""What is said of a wallet at which a branch ends."""


@dataclass(frozen=True)
class Node:
    """A box of the picture."""

    column: int
    wallet: str
    kind: str = "wallet"
    title: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flow:
    """What one transaction, or one peeling chain, took from one box to another. `share`: of the payment, None if
    unknown."""

    source: tuple[int, str]
    target: tuple[int, str]
    txid: str
    sats: int
    share: int | None
    time: Any
    reason: str
    transactions: int
    direction: str
    number: int = 0


@dataclass
class Scene:
    """Boxes by column and wallet, and flows in the order of their numbers."""

    payment: Row
    nodes: dict[tuple[int, str], Node] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    left_out: list[Flow] = field(default_factory=list)


def said(text: Any) -> str:
    """Text as it may be printed: what would steer a page or break its markup is written as an escape."""
    return printable_path(str(text).encode("utf-8", "surrogateescape"))


def scene_of(payment: Row, hops: Iterable[Row], account: str) -> Scene:
    """The picture of a payment from its rows of `hops`, each with the `time` of its transaction; `account`: who has the
    address that was paid."""
    scene = Scene(payment)
    flows: dict[tuple[Any, ...], Flow] = {}
    for hop in hops:
        flow = _flow(scene, hop)
        if flow:
            key = (flow.source, flow.target, flow.txid)
            known = flows.get(key)
            flows[key] = _together(known, flow) if known else flow
    _centre(scene, account)
    _named(scene, list(flows.values()))
    return scene


def _flow(scene: Scene, hop: Row) -> Flow | None:
    """The flow of a hop, its boxes put into the scene; None where a coin only stays where it is."""
    back = hop["direction"] == "back"
    step, ends = hop["step"], hop["ends"]
    source = (-step if back else step - 1, _place(hop["from_cluster"], hop if back else None))
    target = (1 - step if back else step, hop["to_cluster"])
    far = source if back else target
    if (
        not back
        and hop["from_cluster"] == hop["to_cluster"]
        and ends in ENDINGS
        and not hop["reason"].startswith("change")
    ):
        _meet(scene, source, "wallet", ENDINGS[ends])
        return None
    near = target if back else source
    _meet(scene, near, "wallet")
    kind = (
        ends if ends in NODES and ends not in ("market", "age") else "age" if far[1].startswith("older") else "wallet"
    )
    kind = "market" if ends == "market" else kind
    _meet(scene, far, kind, ENDINGS.get(ends or "", "") if kind == "wallet" else "", hop["label"])
    return Flow(source, target, hop["txid"], hop["sats"], hop["share"], hop["time"], hop["reason"],
                hop["transactions"], hop["direction"])  # fmt: skip


def _place(name: str, hop: Row | None) -> str:
    """Strangers of different transactions are different boxes."""
    return f"{name} of {hop['txid']}" if hop and hop["ends"] in ("coinjoin", "mined", "missing") else name


def _meet(scene: Scene, key: tuple[int, str], kind: str, note: str = "", label: str | None = None) -> None:
    node = scene.nodes.get(key, Node(*key))
    kind = kind if node.kind == "wallet" else node.kind
    notes = node.notes if not note or note in node.notes else (*node.notes, note)
    scene.nodes[key] = replace(node, kind=kind, notes=notes, title=node.title or label or "")


def _together(one: Flow, other: Flow) -> Flow:
    """Several coins that one transaction moved from one box to the other."""
    share = None if one.share is None or other.share is None else one.share + other.share
    return replace(one, share=share, sats=one.sats + other.sats)


def _centre(scene: Scene, account: str) -> None:
    """The box of the payment itself; what stands in column 0 is the market's."""
    if not any(column == 0 for column, _ in scene.nodes):
        _meet(scene, (0, scene.payment["address"]), "market")
    for key in [k for k in scene.nodes if k[0] == 0]:
        notes = (f"address given to account {account}", *scene.nodes[key].notes)
        scene.nodes[key] = replace(scene.nodes[key], kind="market", title="The site", notes=notes)


def _named(scene: Scene, flows: Sequence[Flow]) -> None:
    """Number the flows, largest first from the payment outwards; leave out the smallest; give every box its title."""
    weight = sorted(flows, key=lambda f: (f.share is None, -(f.share or 0), f.txid))
    kept = set(map(id, weight[:MOST_FLOWS]))
    ordered = sorted(
        (f for f in flows if id(f) in kept), key=lambda f: (f.source[0], -(f.share or 0), f.txid, f.target)
    )
    scene.flows = [replace(flow, number=n) for n, flow in enumerate(ordered, 1)]
    scene.left_out = [f for f in flows if id(f) not in kept]
    drawn = {end for flow in scene.flows for end in (flow.source, flow.target)}
    scene.nodes = {key: node for key, node in sorted(scene.nodes.items()) if key in drawn or key[0] == 0}
    letters: dict[str, str] = {}
    for key, node in scene.nodes.items():
        if node.kind == "wallet":
            letter = letters.setdefault(node.wallet, letter_of(len(letters)))
            scene.nodes[key] = replace(node, title=f"Wallet {letter}")
        elif node.kind == "coinjoin":
            scene.nodes[key] = replace(node, title=f"CoinJoin ({node.title})")
        elif not node.title:
            scene.nodes[key] = replace(node, title=NODES[node.kind].split(":")[0].capitalize())


def letter_of(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    rest, last = divmod(number, 26)
    return (letter_of(rest - 1) if rest else "") + chr(ord("A") + last)
