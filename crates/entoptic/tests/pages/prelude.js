"use strict";

// Stands at the start of a page under test: notes all that goes wrong, and lets a script act as a reader does.
// What it does with the mouse goes to whatever is on top at that place, so that something in the way is found out.

const complaints = [];
let checks = 0;

window.addEventListener(
  "error",
  (event) => {
    const { target } = event;
    const what = target === window ? event.message : `could not load ${target.src ?? target.href ?? target.tagName}`;
    complaints.push(`error: ${what}`);
  },
  true,
);
window.addEventListener("unhandledrejection", ({ reason }) => complaints.push(`rejected: ${reason}`));
document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
  complaints.push(`network: ${effectiveDirective} ${blockedURI}`);
});
const consoleError = console.error;
console.error = (...words) => {
  complaints.push(`console: ${words.join(" ")}`);
  consoleError(...words);
};

function check(holds, what) {
  checks += 1;
  if (!holds) complaints.push(`does not hold: ${what}`);
}

/** Runs the acts once the page stands, then writes the report. */
function test(acts) {
  // A frame still being written keeps the page from having loaded, which is what the browser waits for.
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  frame.contentDocument.open();
  const finish = () => {
    if (checks === 0) complaints.push("nothing was checked");
    for (const { name } of performance.getEntriesByType("resource")) {
      if (!/^(file|data|blob):/.test(name)) complaints.push(`network: ${name}`);
    }
    const report = document.createElement("pre");
    report.id = "report";
    report.textContent = JSON.stringify({ checks, complaints });
    document.body.append(report);
    frame.contentDocument.close();
  };
  // A page that failed to build never stands; its errors are then the report.
  const stands = until(() => "ready" in document.body.dataset || complaints.length > 0, "the page stands");
  stands
    .then(() => acts())
    .catch((error) => complaints.push(`stopped: ${error}`))
    .finally(finish);
}

/** Waits for a condition, ten seconds at most. */
async function until(holds, what) {
  for (let turn = 0; turn < 500; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** Until the page has drawn what it was told. */
function drawn() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

function $(selector) {
  const found = document.querySelector(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

function $$(selector) {
  return [...document.querySelectorAll(selector)];
}

function text(selector) {
  return $(selector).textContent.trim();
}

function visible(place) {
  return place.checkVisibility() && place.getBoundingClientRect().width > 0;
}

/** What a reader touches at a point of the window. */
function at(x, y) {
  const top = document.elementFromPoint(x, y);
  if (!top) throw new Error(`nothing at ${x}, ${y}`);
  return top;
}

/** The point of the window at a share of an element's width and height, scrolled to if need be. */
function pointOf(place, right = 0.5, down = 0.5) {
  const inside = ({ left, top, width, height }) => [left + right * width, top + down * height];
  const [x, y] = inside(place.getBoundingClientRect());
  if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight)
    place.scrollIntoView({ block: "center", behavior: "instant" });
  return inside(place.getBoundingClientRect());
}

/** The middle of a cell of a board. */
function cellOf(place, cell, { rows, columns } = data) {
  return pointOf(place, ((cell % columns) + 0.5) / columns, (Math.floor(cell / columns) + 0.5) / rows);
}

/** A mouse or a finger. Give it points, or an element for its middle. */
class Pointer {
  constructor(pointerType, pointerId) {
    Object.assign(this, { pointerType, pointerId, over: null, buttons: 0, x: 0, y: 0 });
  }

  move(...where) {
    [this.x, this.y] = where[0] instanceof Element ? pointOf(...where) : where;
    const target = at(this.x, this.y);
    this.#enter(target);
    this.#send(target, "move");
  }

  down() {
    const target = at(this.x, this.y);
    this.buttons = 1;
    this.#enter(target);
    if (this.#send(target, "down")) target.closest("button, input, a[href], [tabindex]")?.focus();
    this.pressed = target;
  }

  up() {
    const target = at(this.x, this.y);
    this.buttons = 0;
    this.#send(target, "up");
    if (this.pointerType === "touch") this.#enter(null);
    if (target === this.pressed) target.dispatchEvent(new MouseEvent("click", { ...this.#properties(), detail: 1 }));
  }

  click(...where) {
    this.move(...where);
    this.down();
    this.up();
  }

  doubleClick(...where) {
    this.click(...where);
    this.click(this.x, this.y);
    at(this.x, this.y).dispatchEvent(new MouseEvent("dblclick", { ...this.#properties(), detail: 2 }));
  }

  wheel(deltaY, ...where) {
    this.move(...where);
    at(this.x, this.y).dispatchEvent(new WheelEvent("wheel", { ...this.#properties(), deltaY }));
  }

  #properties() {
    const { x, y, buttons, pointerType, pointerId } = this;
    const where = { clientX: x, clientY: y, buttons, view: window };
    return { ...where, pointerType, pointerId, isPrimary: true, bubbles: true, cancelable: true, composed: true };
  }

  /** Tells of one thing as a pointer event and, for a mouse, as a mouse event; false if the page took it for itself. */
  #send(target, what, more = {}) {
    const properties = { ...this.#properties(), ...more };
    const taken = !target.dispatchEvent(new PointerEvent(`pointer${what}`, properties));
    if (this.pointerType !== "mouse") return !taken;
    return target.dispatchEvent(new MouseEvent(`mouse${what}`, properties)) && !taken;
  }

  /** Leaves what it was over and enters what it is over now. */
  #enter(target) {
    if (target === this.over) return;
    const chain = (place) => (place ? [place, ...chain(place.parentElement)] : []);
    const [before, now] = [chain(this.over), chain(target)];
    if (this.over) this.#send(this.over, "out");
    for (const place of before) if (!now.includes(place)) this.#send(place, "leave", { bubbles: false });
    if (target) this.#send(target, "over");
    for (const place of now.reverse()) if (!before.includes(place)) this.#send(place, "enter", { bubbles: false });
    this.over = target;
  }
}

const mouse = new Pointer("mouse", 1);

function tap(...where) {
  new Pointer("touch", 2).click(...where);
}

/** Presses a key where the focus is; Enter and space press a button as the browser would. */
function key(name) {
  const target = document.activeElement ?? document.body;
  const going = target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  if (going && (name === "Enter" || name === " ") && target.matches("button")) target.click();
  target.dispatchEvent(new KeyboardEvent("keyup", { key: name, bubbles: true }));
}

/** Clicks into a box, then writes into it. */
function write(input, words) {
  mouse.click(input);
  check(document.activeElement === input, `a click into ${input.id} lets one write there`);
  input.value = words;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Drags a slider to a value. */
function slide(input, value) {
  mouse.click(input);
  check(document.activeElement === input, `the slider ${input.id} can be reached`);
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** A copy of a canvas that is quick to read. */
function copy(canvas) {
  const { width, height } = canvas;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", {
    willReadFrequently: true,
  });
  context.drawImage(canvas, 0, 0);
  return context;
}

/** Whether a bar has the color of its value's sign: orange from zero up, blue below. */
function hasColorOfSign(filled, value) {
  const [red, , blue] = getComputedStyle(filled).backgroundColor.match(/\d+/g).map(Number);
  return value < 0 ? blue > red : red > blue;
}

/** The pixels of a canvas, or of one of its parts, as `[red, green, blue, opacity]` in 0..255 each. */
function pixels(canvas, x = 0, y = 0, w = canvas.width, h = canvas.height) {
  const flat = copy(canvas).getImageData(x, y, w, h).data;
  return Array.from({ length: flat.length / 4 }, (_, i) => [...flat.subarray(4 * i, 4 * i + 4)]);
}

/** The mean of points, or of the colors of pixels. */
function mean(points) {
  return points[0].map((_, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

/** The pixels of one tile, read from the sheets anew. */
async function tilePixels(sheets, index) {
  for (const { url, columns, side, count } of [sheets].flat()) {
    if (index >= count) {
      index -= count;
      continue;
    }
    const image = new Image();
    await new Promise((load, error) => Object.assign(image, { onload: load, onerror: error, src: url }));
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d").drawImage(image, -(index % columns) * side, -Math.floor(index / columns) * side);
    return pixels(canvas);
  }
  throw new Error("no such tile");
}

/** Whether a canvas shows a tile as it is. */
async function shows(canvas, sheets, index) {
  return String(pixels(canvas)) === String(await tilePixels(sheets, index));
}

/** What holds for every page: its lines are there as they are, nothing is wider than the window. */
function checkPage() {
  check(text("h1") === data.title && document.title === data.title, "the heading is the title as it is");
  check(text("#caption") === data.caption, "the caption stands under the heading");
  if (data.command) check(text("#command") === data.command && visible($("#command")), "the command is at the bottom");
  else check(!visible($("footer")), "without a command there is no footer");
  check(document.documentElement.scrollWidth <= innerWidth, "the page is no wider than the window");
  const named = (place) => place.getAttribute("aria-label") || place.textContent.trim() || place.labels?.length;
  for (const place of $$("button, input, [tabindex], [role=img]")) {
    const labelled = place.getAttribute("aria-labelledby");
    check(labelled ? document.getElementById(labelled) : named(place), `${place.tagName} ${place.id} has a name`);
  }
}
