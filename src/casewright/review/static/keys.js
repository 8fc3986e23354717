// Every action of a page has a key: whatever carries data-key is pressed, followed or focused by it. Keys of two letters
// are typed one after the other. `?` lists what there is, from the page itself.
"use strict";

const PATIENCE = 1200;
let first = "";
let since = 0;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") && !["radio", "checkbox"].includes(target.type);
}

function act(element) {
  if (element.matches("input[type=radio], input[type=checkbox]")) {
    element.click();
    const next = element.form?.querySelector("[data-then]");
    if (next) next.focus();
  } else if (element.matches("input, textarea, select")) {
    element.focus();
    if (element.select) element.select();
  } else {
    element.click();
  }
}

function move(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const now = rows.indexOf(document.activeElement.closest("[data-row]"));
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function open(row) {
  const link = row.querySelector("a[href]");
  if (link) link.click();
}

function help() {
  const dialog = document.getElementById("help");
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  const seen = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    const key = element.dataset.key;
    if (seen.has(key)) continue;
    seen.add(key);
    const dt = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    dt.append(kbd);
    const dd = document.createElement("dd");
    dd.textContent = element.dataset.says || element.getAttribute("aria-label") || element.textContent.trim();
    list.append(dt, dd);
  }
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") { event.preventDefault(); help(); return; }
  if (event.key === "j" || event.key === "ArrowDown" && event.target.closest("[data-row]")) { event.preventDefault(); move(1); return; }
  if (event.key === "k" || event.key === "ArrowUp" && event.target.closest("[data-row]")) { event.preventDefault(); move(-1); return; }
  if (event.key === "Enter" && event.target.matches("[data-row]")) { open(event.target); return; }
  if (event.key.length !== 1) return;
  const now = performance.now();
  const both = now - since < PATIENCE ? `${first} ${event.key}` : event.key;
  first = event.key;
  since = now;
  const found = [...document.querySelectorAll("[data-key]")];
  const element = found.find((e) => e.dataset.key === both) || found.find((e) => e.dataset.key === event.key);
  if (element) {
    event.preventDefault();
    first = "";
    act(element);
  }
});

document.addEventListener("click", (event) => {
  const closing = event.target.closest("[data-close]");
  if (closing) closing.closest("dialog").close();
  if (event.target.closest("[data-help]")) help();
  const theme = event.target.closest("[data-theme-switch]");
  if (theme) {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  }
});

const kept = localStorage.getItem("theme");
if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;

// On a narrow screen a row is a small card: each cell says which column it is of.
function labelled() {
  for (const table of document.querySelectorAll(".scroll > table")) {
    const names = [...table.querySelectorAll("thead th")].map((th) => th.textContent);
    for (const row of table.tBodies[0]?.rows || []) {
      if (row.cells.length === names.length) [...row.cells].forEach((cell, n) => { cell.dataset.of = names[n]; });
    }
  }
}

labelled();
document.addEventListener("htmx:afterSwap", labelled);
