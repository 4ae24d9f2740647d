"use strict";

/** What the program wrote into this page. */
const data = JSON.parse(document.getElementById("data").textContent);

const THREE_DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };

/** The opacity of the strongest heat, which leaves the photo visible. */
const HEAT = 0.85;

/** Writes the lines every page has, then builds the page; `data-ready` on the body says that it stands. */
async function start(build) {
  document.getElementById("caption").textContent = data.caption ?? "";
  document.getElementById("command").textContent = data.command ?? "";
  document.querySelector("footer").hidden = !data.command;
  await build();
  document.body.dataset.ready = "";
}

/** An element with its properties, `data-*` and children; text stays text. */
function element(tag, { dataset = {}, style = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, dataset);
  Object.assign(made.style, style);
  made.append(...children);
  return made;
}

/** The picture at a URL, once it is there. */
function picture(url) {
  return new Promise((resolve, reject) => {
    const image = element("img", { alt: "", draggable: false });
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error("a picture of this page cannot be read")));
    image.src = url;
  });
}

/** The tiles of one sheet or of several, numbered through all of them. */
class Tiles {
  static async read(sheets) {
    const tiles = new Tiles();
    tiles.places = [];
    for (const { url, columns, side, count } of [sheets].flat()) {
      const image = await picture(url);
      for (let i = 0; i < count; i++) {
        tiles.places.push({ image, x: (i % columns) * side, y: Math.floor(i / columns) * side, side });
      }
    }
    return tiles;
  }

  /** Shows a tile on a canvas pixel for pixel, so that enlarging it shows nothing of its neighbors. */
  show(canvas, index) {
    const place = this.places[index];
    canvas.width = canvas.height = place?.side ?? 1;
    canvas.dataset.tile = place ? index : "";
    if (place) this.draw(canvas.getContext("2d"), index, 0, 0, place.side);
    return canvas;
  }

  /** A new canvas with a tile; one without a picture stays blank. */
  canvas(index) {
    return this.show(element("canvas", { className: "tile" }), index);
  }

  draw(context, index, x, y, side) {
    const place = this.places[index];
    const inset = side === place.side ? 0 : 0.5; // Half a pixel keeps the interpolation inside the tile.
    const from = place.side - 2 * inset;
    context.drawImage(place.image, place.x + inset, place.y + inset, from, from, x, y, side, side);
  }
}

/** A picture of `rows` x `columns` cells. A cell is its index in reading order, or null for none. */
class Board {
  constructor(place, { rows, columns, size: [h, w], label }) {
    Object.assign(this, { place, rows, columns });
    place.classList.add("board");
    place.style.aspectRatio = `${w} / ${h}`;
    place.tabIndex = 0;
    place.setAttribute("role", "application");
    const help = "Arrow keys move, Enter pins, Escape lets go.";
    place.setAttribute("aria-label", `${label}, ${rows} by ${columns} cells. ${help}`);
    this.frame = element("div", { className: "outline", hidden: true });
    place.append(this.frame);
  }

  add(layer) {
    layer.classList.add("layer");
    this.frame.before(layer);
    return layer;
  }

  /** Faint lines between the cells. */
  addLines() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const down = Array.from({ length: this.columns - 1 }, (_, x) => `M${x + 1} 0V${this.rows}`);
    const across = Array.from({ length: this.rows - 1 }, (_, y) => `M0 ${y + 1}H${this.columns}`);
    svg.setAttribute("viewBox", `0 0 ${this.columns} ${this.rows}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    svg.classList.add("lines");
    path.setAttribute("d", [...down, ...across].join(""));
    path.setAttribute("vector-effect", "non-scaling-stroke");
    svg.append(path);
    return this.add(svg);
  }

  /** A layer of one pixel per cell, transparent until painted. */
  addCells() {
    return this.add(element("canvas", { className: "cells", width: this.columns, height: this.rows }));
  }

  /** Paints such a layer: `color(cell)` is `[red, green, blue, opacity]`, colors in 0..255 and opacity in 0..1. */
  paint(layer, color) {
    const pixels = new ImageData(this.columns, this.rows);
    for (let cell = 0; cell < this.rows * this.columns; cell++) {
      const [red, green, blue, opacity] = color(cell);
      pixels.data.set([red, green, blue, 255 * opacity], 4 * cell);
    }
    layer.getContext("2d").putImageData(pixels, 0, 0);
  }

  cellAt({ clientX, clientY }) {
    const { left, top, width, height } = this.place.getBoundingClientRect();
    const x = Math.floor(((clientX - left) / width) * this.columns);
    const y = Math.floor(((clientY - top) / height) * this.rows);
    return this.cell(y, x);
  }

  /** The cell at a position, or the nearest one if that is outside. */
  cell(y, x) {
    return clamp(y, 0, this.rows - 1) * this.columns + clamp(x, 0, this.columns - 1);
  }

  position(cell) {
    return [Math.floor(cell / this.columns), cell % this.columns];
  }

  outline(cell, pinned) {
    this.frame.hidden = cell === null;
    this.frame.classList.toggle("pinned", pinned);
    if (cell === null) return;
    const [y, x] = this.position(cell);
    Object.assign(this.frame.style, {
      left: `${(100 * x) / this.columns}%`,
      top: `${(100 * y) / this.rows}%`,
      width: `${100 / this.columns}%`,
      height: `${100 / this.rows}%`,
    });
    this.frame.dataset.cell = cell;
  }
}

/**
 * Lets the reader look at a cell, on one board or on several of the same cells: pointing shows it, a click or Enter
 * pins it, doing so again or Escape lets go, arrow keys move. `show(cell, pinned)` is told of every change.
 *
 * With `first` there is always a cell to look at, at the start that one; without, none once the pointer has left.
 */
function lookAtCells(boards, show, first = null) {
  let cell = null;
  let pinned = false;

  const look = (next, pin) => {
    [cell, pinned] = [next, pin && next !== null];
    for (const board of boards) board.outline(cell, pinned);
    show(cell, pinned);
  };
  const pin = (next) => look(next, !(pinned && next === cell));
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  for (const board of boards) {
    const point = (event) => {
      const next = board.cellAt(event);
      if (!pinned && next !== cell) look(next, false);
    };
    board.place.addEventListener("pointermove", point);
    board.place.addEventListener("pointerleave", () => {
      if (!pinned && first === null) look(null, false);
    });
    board.place.addEventListener("click", (event) => pin(board.cellAt(event)));
    board.place.addEventListener("keydown", (event) => {
      const middle = board.cell(board.rows >> 1, board.columns >> 1);
      if (event.key in steps) {
        const [y, x] = board.position(cell ?? middle);
        const [down, right] = cell === null ? [0, 0] : steps[event.key];
        look(board.cell(y + down, x + right), pinned);
      } else if (event.key === "Enter" || event.key === " ") {
        pin(cell ?? middle);
      } else {
        return;
      }
      event.preventDefault();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && cell !== null) look(first === null ? null : cell, false);
  });
  look(first, false);
}

let tapped = null; // What a finger tapped last.

/** Calls `enter` when the mouse comes over an element, it gets the focus, or a finger taps it, and `leave` after. */
function onLook(place, enter, leave) {
  place.addEventListener("pointerenter", enter);
  place.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") tapped = { place, leave };
    else leave();
  });
  place.addEventListener("focus", enter);
  place.addEventListener("blur", leave);
}

document.addEventListener("pointerdown", ({ target }) => {
  if (!tapped || tapped.place.contains(target)) return;
  tapped.leave();
  tapped = null;
});

/** Buttons to choose one of several names, hidden if there is but one. `choose(index)` is told of each choice. */
function choice(legend, names, choose) {
  const options = names.map((name, index) => {
    const onchange = () => choose(index);
    const input = element("input", { type: "radio", name: "choice", checked: index === 0, onchange });
    return element("label", {}, input, name);
  });
  const title = element("legend", { className: "spoken", textContent: legend });
  return element("fieldset", { className: "choice", hidden: names.length < 2 }, title, ...options);
}

/** A bar for a value in -1..1, from the left, or from the middle if values have both signs. */
function bar(value, { diverging = false, color = value < 0 ? "var(--negative)" : "var(--positive)" } = {}) {
  const length = 100 * clamp(Math.abs(value), 0, 1) * (diverging ? 0.5 : 1);
  const left = !diverging ? 0 : value < 0 ? 50 - length : 50;
  const filled = element("span", { style: { left: `${left}%`, width: `${length}%`, background: color } });
  return element("div", { className: diverging ? "bar diverging" : "bar" }, filled);
}

/** The largest magnitude, or 1 if all are zero: what to divide by. */
function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Three digits of a number, with a true minus, and if asked with its plus. */
function number(value, { signed = false } = {}) {
  const tiny = value !== 0 && Math.abs(value) < 1e-4;
  const digits = tiny ? value.toExponential(2) : value.toLocaleString("en", THREE_DIGITS);
  return (signed && value > 0 ? "+" : "") + digits.replaceAll("-", "−");
}

/** `#rrggbb`, or the name of a color in the style sheet, as `[red, green, blue]`. */
function rgb(color) {
  const hex = color.startsWith("#") ? color : getComputedStyle(document.documentElement).getPropertyValue(color).trim();
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
