"""What is neither page nor JSON: stills of media, the picture of a payment's flow, a graph for other programs."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

from starlette.responses import Response

from casewright.chain.drawing.asked import HOPS, PAYMENT
from casewright.chain.drawing.scene import scene_of
from casewright.chain.drawing.svg import drawing
from casewright.model.errors import Missing
from casewright.review.page import Ask
from casewright.review.pages.graph import graphml
from casewright.review.stills import still

OF_ITS_OWN = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""For a drawing that brings its own style, opened by itself or as a picture within a page."""


def flow(ask: Ask) -> Response:
    bind = {"payment": ask.path["payment"]}
    found = ask.rows(PAYMENT, bind)
    if not found:
        raise Missing("There is no such payment in this case.")
    scene = scene_of(found[0], ask.rows(HOPS, bind), found[0]["username"] or found[0]["account"])
    made = ET.tostring(drawing(scene, ask.desk.case.settings.chain.taint), "utf-8", xml_declaration=True)
    return Response(made, media_type="image/svg+xml", headers=OF_ITS_OWN)


def still_of(ask: Ask) -> Response:
    return Response(still(ask), media_type="image/jpeg")


def graph_file(ask: Ask) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="graph.graphml"'}
    return Response(graphml(ask), media_type="application/graphml+xml", headers=headers)


RAW: dict[str, Callable[[Ask], Response]] = {
    "/payments/{payment}/flow.svg": flow,
    "/media/{item}/still.jpg": still_of,
    "/graph.graphml": graph_file,
}
