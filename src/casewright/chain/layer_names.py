"""The layers that join addresses, by name and in the order in which they do."""

from collections.abc import Sequence

from casewright.model.errors import Refused

LAYERS = ("co-spend", "change", "tags")


def checked(layers: Sequence[str]) -> tuple[str, ...]:
    """The layers in their order. Raises Refused for one that there is not."""
    if unknown := sorted(set(layers) - set(LAYERS)):
        raise Refused(f"there is no layer {unknown[0]!r}. Layers are: {', '.join(LAYERS)}.")
    return tuple(layer for layer in LAYERS if layer in layers)
