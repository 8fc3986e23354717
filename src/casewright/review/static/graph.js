// The graph of a payment: places come from the server, so that the same address always looks the same. Opening a node
// changes the address.
"use strict";

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
};

function opened(node) {
  const here = new URL(location.href);
  const open = (here.searchParams.get("open") || "").split(",").filter(Boolean);
  const at = open.indexOf(node);
  if (at >= 0) open.splice(at, 1);
  else open.push(node);
  if (open.length) here.searchParams.set("open", open.join(","));
  else here.searchParams.delete("open");
  location.assign(here);
}

function shortened(name) {
  return name.length > 18 ? `${name.slice(0, 8)}…${name.slice(-6)}` : name;
}

function label(node) {
  if (node.tags.length) {
    const best = node.tags[0];
    return `${best.label}${best.level === null ? "" : ` (${best.level})`}`;
  }
  return shortened(node.id);
}

function told(element, about) {
  const place = document.getElementById("told");
  const rows = about.map(([name, value]) => {
    const dt = document.createElement("dt");
    dt.textContent = name;
    const dd = document.createElement("dd");
    dd.textContent = value;
    return [dt, dd];
  });
  place.replaceChildren(...rows.flat());
  const form = document.querySelector("form.note");
  if (!form) return;
  form.elements.about.value = element;
  form.querySelector("[data-about]").textContent = shortened(element);
}

function coins(sats) {
  return sats === null ? "unknown" : `${(sats / 1e8).toFixed(8)} BTC`;
}

async function draw() {
  const here = new URL(location.href);
  const answer = await fetch(`/graph.json${here.search}`);
  if (!answer.ok) return;
  const found = await answer.json();
  const colour = colours();
  const column = new Map(found.nodes.map((n) => [n.id, n.x]));
  const around = (e) => Math.abs(column.get(e.target) - column.get(e.source)) > 260;
  const noted = (name) => (found.notes[name] ? "✎ " : "");
  const most = Math.max(1, ...found.edges.filter((e) => e.source !== e.target).map((e) => e.sats || 0));
  const graph = cytoscape({
    container: document.getElementById("graph"),
    elements: [
      ...found.nodes.map((n) => ({ data: { id: `n:${n.id}`, name: n.id, label: noted(n.id) + label(n), kind: n.kind, open: n.open, tags: n.tags },
        position: { x: n.x, y: n.y } })),
      ...found.edges.filter((e) => e.source !== e.target).map((e) => ({ data: { id: `e:${e.id}`, source: `n:${e.source}`, target: `n:${e.target}`, ...e, id: `e:${e.id}`,
        source: `n:${e.source}`, target: `n:${e.target}`, width: 1 + 7 * Math.sqrt((e.sats || 0) / most),
        around: around(e), label: noted(e.txid) + (e.sats === null ? "?" : `${(e.sats / 1e8).toFixed(4)} BTC`) } })),
    ],
    layout: { name: "preset", fit: true, padding: 40 },
    style: [
      { selector: "node", style: { shape: "round-rectangle", width: 150, height: 40, "background-color": colour("--card"),
        "border-width": 1.5, "border-color": colour("--ink"), label: "data(label)", "text-valign": "center",
        "font-size": 12, "min-zoomed-font-size": 6, color: colour("--ink"), "text-wrap": "ellipsis", "text-max-width": 140 } },
      { selector: "node[kind = 'service'], node[kind = 'tagged']", style: { "background-color": colour("--accent"),
        color: colour("--accent-ink") } },
      { selector: "node[kind = 'mixer'], node[kind = 'coinjoin'], node[kind = 'joined']", style: { "border-style": "dashed",
        "border-color": colour("--bad"), "border-width": 3 } },
      { selector: "node[?open]", style: { "border-width": 4, "border-color": colour("--accent") } },
      { selector: "edge", style: { width: "data(width)", "curve-style": "bezier", "target-arrow-shape": "triangle",
        "line-color": colour("--quiet"), "target-arrow-color": colour("--quiet"), label: "data(label)", "font-size": 10, "min-zoomed-font-size": 6,
        color: colour("--ink"), "text-background-color": colour("--paper"), "text-background-opacity": 1 } },
      { selector: "edge[?around]", style: { "curve-style": "unbundled-bezier", "control-point-distances": 110,
        "control-point-weights": 0.5 } },
      { selector: "edge[?change]", style: { "line-style": "dashed" } },
      { selector: ":selected", style: { "line-color": colour("--accent"), "border-color": colour("--accent") } },
    ],
  });
  graph.on("tap", "node", (event) => {
    const data = event.target.data();
    told(data.name, [["wallet", data.name], ["what it is", data.kind],
      ...data.tags.map((t) => ["tag", `${t.label}, ${t.category || "?"}, level ${t.level ?? "?"}, ${t.tags} ${t.tags === 1 ? "tag" : "tags"}`])]);
  });
  graph.on("dbltap", "node", (event) => opened(event.target.data("name")));
  graph.on("tap", "edge", (event) => {
    const data = event.target.data();
    told(data.txid, [["transaction", data.txid], ["moved", coins(data.sats)], ["of the payment", coins(data.share)],
      ["why", data.reason]]);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-graph]");
    if (!button) return;
    if (button.dataset.graph === "fit") graph.fit(undefined, 40);
    if (button.dataset.graph === "in") graph.zoom({ level: graph.zoom() * 1.3, renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
    if (button.dataset.graph === "out") graph.zoom({ level: graph.zoom() / 1.3, renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
  });
  document.getElementById("graph").dataset.drawn = found.nodes.length;
}

draw();
