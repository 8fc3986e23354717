// A still is asked for, never shown by itself; each step of more is asked for again, and holds for this medium only.
// What was asked for is kept nowhere: leaving the page hides it.
"use strict";

const place = document.getElementById("still");
const shown = { side: 0, blur: 1, grey: 1, second: 0, asked: false };

function draw() {
  if (!shown.asked) return;
  const sides = place.dataset.sides.split(",");
  const query = new URLSearchParams({ side: sides[shown.side], blur: shown.blur, grey: shown.grey, second: shown.second });
  const image = document.createElement("img");
  image.alt = "A still of this medium, as far as you asked for it";
  image.addEventListener("error", async () => {
    const answer = await fetch(image.src, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.textContent = page.querySelector("[data-error]")?.textContent || "It cannot be shown.";
  });
  image.src = `${place.dataset.src}?${query}`;
  place.replaceChildren(image);
}

const acts = {
  show() { shown.asked = true; },
  hide() { Object.assign(shown, { side: 0, blur: 1, grey: 1, asked: false }); place.textContent = "Hidden."; },
  sharper() { shown.blur = 0; },
  colour() { shown.grey = 0; },
  larger() { shown.side = Math.min(shown.side + 1, place.dataset.sides.split(",").length - 1); },
  later() { shown.second = Math.min(shown.second + Number(place.dataset.seconds) / 10, Number(place.dataset.seconds)); },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-still]");
  if (!button) return;
  acts[button.dataset.still]();
  draw();
});
