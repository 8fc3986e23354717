"""Writes `src/casewright/review/world.json`, the outlines of countries, from npm's world-atlas (Natural Earth, public
domain) and i18n-iso-countries (MIT).

    npm pack world-atlas@2 i18n-iso-countries && tar xzf ... && python tools/world_map.py ATLAS.json CODES.json

Equirectangular, 1000 wide; a country is an SVG path by its ISO 3166 code of two letters.
"""

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "casewright" / "review" / "world.json"
WIDE, TOP, BOTTOM = 1000, 84.0, -57.0


def arcs_of(topology):
    """Each arc as points [degrees east, degrees north]: deltas of whole steps, scaled."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        found.append(points)
    return found


def ring(indices, arcs):
    points = []
    for index in indices:
        piece = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += piece[1:] if points else piece
    return points


def apart(points):
    """A ring that crosses the edge of the map as one on each side of it, so that no line runs across the whole map."""
    closed = zip(points, [*points[1:], points[0]], strict=True)
    if all(abs(one[0] - other[0]) < WIDE / 2 for one, other in closed):
        return [points]
    return [[p for p in points if (p[0] < WIDE / 2) is west] for west in (True, False)]


def path(geometry, arcs):
    polygons = {"Polygon": [geometry.get("arcs")], "MultiPolygon": geometry.get("arcs")}[geometry["type"]]
    parts = []
    for polygon in polygons:
        for indices in polygon:
            points = [(round((x + 180) / 360 * WIDE, 1), round((TOP - max(y, BOTTOM)) / 360 * WIDE, 1))
                      for x, y in ring(indices, arcs)]  # fmt: skip
            kept = [p for p, before in zip(points, [None, *points], strict=False) if p != before]
            parts += ["M" + "L".join(f"{x:g} {y:g}" for x, y in one) + "Z" for one in apart(kept) if len(one) > 2]
    return "".join(parts)


def main(atlas, codes):
    topology = json.loads(Path(atlas).read_text("utf-8"))
    letters = {row[2]: row[0] for row in json.loads(Path(codes).read_text("utf-8"))}
    arcs = arcs_of(topology)
    drawn = {letters[g["id"]]: path(g, arcs) for g in topology["objects"]["countries"]["geometries"]
             if g.get("id") in letters and letters[g["id"]] != "AQ"}  # fmt: skip
    size = [WIDE, round((TOP - BOTTOM) / 360 * WIDE)]
    TARGET.write_text(
        json.dumps({"size": size, "countries": dict(sorted(drawn.items()))}, separators=(",", ":")) + "\n"
    )
    print(f"{len(drawn)} countries, {TARGET.stat().st_size:,} bytes")


main(*sys.argv[1:])
