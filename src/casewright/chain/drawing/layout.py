"""Where the boxes and bands of a picture stand: columns from left to right, widths by value."""

from collections.abc import Callable
from dataclasses import dataclass, field

from casewright.chain.drawing.scene import Flow, Node, Scene

BOX, PITCH, GAP, TOP = 168, 306, 30, 84
LEAST_BOX, LEAST_BAND, SLOT = 70, 1.6, 40
WHOLE = 200
"""Height of a band that carries all of the payment."""
Key = tuple[int, str]


@dataclass
class Box:
    """A node with its place: `x`, `y` of its upper left corner."""

    node: Node
    height: float
    x: float = 0
    y: float = 0


@dataclass(frozen=True)
class Band:
    """A flow with the middle of both ends, and how wide it is."""

    flow: Flow
    start: float
    end: float
    width: float


@dataclass
class Layout:
    boxes: dict[Key, Box] = field(default_factory=dict)
    bands: list[Band] = field(default_factory=list)
    width: float = 0
    height: float = 0


def layout_of(scene: Scene) -> Layout:
    """Boxes stand beside those that they share most with, nearest to the payment first."""
    result = Layout({key: Box(node, _height(scene, key)) for key, node in scene.nodes.items()})
    columns = sorted({column for column, _ in scene.nodes})
    tallest = max((_total(result, c) for c in columns), default=0)
    for column in sorted(columns, key=abs):
        keys = [key for key in result.boxes if key[0] == column]
        keys.sort(key=lambda key: (_beside(result, scene, key), key[1]))
        y = TOP + (tallest - _total(result, column)) / 2
        for key in keys:
            box = result.boxes[key]
            box.x, box.y = 20 + (column - columns[0]) * PITCH, y
            y += box.height + GAP
    result.width = 40 + BOX + (columns[-1] - columns[0]) * PITCH if columns else 0
    result.height = TOP + tallest + 20
    result.bands = _bands(result, scene)
    return result


def band(flow: Flow, paid: int) -> float:
    """Width of a flow's band."""
    return max(LEAST_BAND, WHOLE * (flow.share or 0) / max(paid, 1))


def _far(flow: Flow) -> Key:
    return flow.source if flow.direction == "back" else flow.target


def _near(flow: Flow) -> Key:
    return flow.target if flow.direction == "back" else flow.source


def _height(scene: Scene, key: Key) -> float:
    """High enough for the bands on either side, with room for a label at each far end."""

    def side(flows: list[Flow]) -> float:
        return sum(max(band(f, scene.payment["sats"]), SLOT if _far(f) == key else 0) for f in flows)

    return max(
        LEAST_BOX, side([f for f in scene.flows if f.source == key]), side([f for f in scene.flows if f.target == key])
    )


def _total(result: Layout, column: int) -> float:
    heights = [box.height for key, box in result.boxes.items() if key[0] == column]
    return sum(heights) + GAP * (len(heights) - 1)


def _beside(result: Layout, scene: Scene, key: Key) -> float:
    """Middle of the boxes nearer to the payment that it has to do with."""
    met = [result.boxes[_near(f)] for f in scene.flows if _far(f) == key]
    return sum(box.y + box.height / 2 for box in met) / len(met) if met else 0


def _bands(result: Layout, scene: Scene) -> list[Band]:
    starts = _places(result, scene, lambda f: f.source, lambda f: f.target)
    ends = _places(result, scene, lambda f: f.target, lambda f: f.source)
    return [Band(f, starts[f.number], ends[f.number], band(f, scene.payment["sats"])) for f in scene.flows]


def _places(
    result: Layout, scene: Scene, here: Callable[[Flow], Key], there: Callable[[Flow], Key]
) -> dict[int, float]:
    """Middle of every band where it meets its box on one side: in the order of the boxes on the other side."""
    found: dict[int, float] = {}
    for key, box in result.boxes.items():
        flows = [f for f in scene.flows if here(f) == key]
        flows.sort(key=lambda f: (result.boxes[there(f)].y, f.number))
        sizes = [max(band(f, scene.payment["sats"]), SLOT if _far(f) == key else 0) for f in flows]
        y = box.y + (box.height - sum(sizes)) / 2
        for flow, size in zip(flows, sizes, strict=True):
            found[flow.number] = y + size / 2
            y += size
    return found
