"use strict";

test(async () => {
  const { cells, icons } = data;
  const canvas = $("#atlas");
  const tip = $("#tip");
  const words = ({ count, label }) => `${label ?? ""}${count.toLocaleString("en")} activation${count === 1 ? "" : "s"}`;
  const says = (cell) => visible(tip) && tip.textContent === words(cell);

  /** What part of the window the icons cover. */
  const covered = async () => {
    await drawn();
    const { data: flat } = copy(canvas).getImageData(0, 0, canvas.width, canvas.height);
    let dots = 0;
    for (let i = 3; i < flat.length; i += 4) if (flat[i] > 0) dots += 1;
    return (4 * dots) / flat.length;
  };

  /** Where each tooltip shows up, found by hovering all through the window. */
  const hoverAll = () => {
    const found = new Map();
    for (let y = 4; y < innerHeight; y += 11) {
      for (let x = 4; x < innerWidth; x += 11) {
        if (at(x, y) !== canvas) continue;
        mouse.move(x, y);
        if (visible(tip)) found.set(tip.textContent, [...(found.get(tip.textContent) ?? []), [x, y]]);
      }
    }
    return found;
  };

  /** How many pixels of the window a cell spans to the right and left of a point in it. */
  const widthAt = (cell, [x, y]) => {
    const reach = (step) => {
      let steps = 0;
      for (let next = x; next > 0 && next < innerWidth; next += step) {
        mouse.move(next, y);
        if (!says(cell)) break;
        steps += 1;
      }
      return steps;
    };
    return reach(1) + reach(-1);
  };

  checkPage();
  const size = canvas.getBoundingClientRect();
  check(size.width === innerWidth && size.height === innerHeight, "the atlas fills the window");
  const whole = await covered();
  check(whole > 0, "icons are drawn");
  check(text("#count") === `${cells.length} of ${cells.length} cells`, "all cells are counted");

  // Cells whose tooltips tell them apart, and where they are.
  const found = hoverAll();
  const alike = (cell) => cells.filter((other) => words(other) === words(cell)).length;
  const places = cells
    .filter((cell) => alike(cell) === 1 && found.has(words(cell)))
    .map((cell) => ({ cell, place: mean(found.get(words(cell))) }));
  check(places.length > 0, "hovering tells of cells");
  const center = [innerWidth / 2, innerHeight / 2];
  const fromCenter = ([x, y]) => Math.hypot(x - center[0], y - center[1]);
  places.sort((a, b) => fromCenter(a.place) - fromCenter(b.place));
  const { cell, place: home } = places[0];
  const width = widthAt(cell, home);
  for (const { cell: other, place } of places) {
    const expected = [home[0] + (other.x - cell.x) * width, home[1] + (other.y - cell.y) * width];
    const off = Math.hypot(place[0] - expected[0], place[1] - expected[1]);
    const steps = Math.hypot(other.x - cell.x, other.y - cell.y);
    check(off < 12 + 2 * steps, `the cell at ${other.x}, ${other.y} is in its place`);
  }
  mouse.move($("h1"));
  check(!visible(tip), "the tooltip goes with the mouse");
  check(text("#leastText").startsWith("at least"), "the slider says what it does");

  // In the middle of the cell there is the middle of its own icon.
  await drawn();
  const dots = canvas.width / size.width;
  const reach = Math.floor(0.3 * width * dots);
  const [left, top] = home.map((value) => Math.round(value * dots) - reach);
  const there = mean(pixels(canvas, left, top, 2 * reach, 2 * reach));
  const tile = await tilePixels(icons, cells.indexOf(cell));
  const side = Math.sqrt(tile.length);
  const inner = (value) => Math.abs(value + 0.5 - side / 2) < 0.31 * side;
  const own = mean(tile.filter((_, i) => inner(i % side) && inner(Math.floor(i / side))));
  check(Math.hypot(...own.map((value, i) => value - there[i])) < 24, "a cell shows its own icon");

  /** Does something that zooms by about `factor` around a point, and then fits again. */
  const zooms = async (act, factor, around, how) => {
    act();
    const place = home.map((value, axis) => around[axis] + (value - around[axis]) * factor);
    mouse.move(...place);
    check(says(cell), `${how} keeps what is under its point there`);
    const now = widthAt(cell, place);
    check(Math.abs(now / width / factor - 1) < 0.1, `${how} zooms by ${factor}, not ${now / width}`);
    mouse.click($("#fit"));
    mouse.move(...home);
    check(says(cell) && Math.abs(widthAt(cell, home) - width) < 3, `fit shows all again after ${how}`);
  };
  await zooms(() => mouse.wheel(-200, ...home), Math.exp(0.4), home, "the wheel");
  await zooms(() => mouse.doubleClick(...home), 2, home, "a double click");
  await zooms(() => mouse.click($("#in")), 1.5, center, "the plus button");
  await zooms(() => mouse.click($("#out")), 1 / 1.5, center, "the minus button");
  canvas.focus();
  await zooms(() => key("+"), 1.5, center, "the plus key");
  canvas.focus();
  await zooms(() => key("-"), 1 / 1.5, center, "the minus key");
  await zooms(
    () => {
      const [one, two] = [new Pointer("touch", 7), new Pointer("touch", 8)];
      one.move(home[0] - 20, home[1]);
      one.down();
      two.move(home[0] + 20, home[1]);
      two.down();
      one.move(home[0] - 36, home[1]);
      two.move(home[0] + 36, home[1]);
      one.up();
      two.up();
    },
    1.8,
    home,
    "a pinch",
  );

  const finger = new Pointer("touch", 9);
  finger.move(...home);
  finger.down();
  finger.move(home[0] + 30, home[1]);
  finger.up();
  mouse.move(home[0] + 30, home[1]);
  check(says(cell) && Math.abs(widthAt(cell, [home[0] + 30, home[1]]) - width) < 3, "after a pinch one finger drags");
  mouse.click($("#fit"));

  mouse.move(...home);
  mouse.down();
  mouse.move(home[0] + 30, home[1] + 20);
  mouse.up();
  mouse.move($("h1"));
  mouse.move(home[0] + 30, home[1] + 20);
  check(says(cell), "dragging moves the atlas along");
  mouse.move(home[0] + 60, home[1] + 40);
  mouse.move(home[0] + 30, home[1] + 20);
  check(says(cell), "it stays once let go");
  mouse.click($("#fit"));
  canvas.focus();
  key("ArrowDown");
  mouse.move(home[0], home[1] - 80);
  check(says(cell), "arrow keys pan");
  key("Escape");
  check(!visible(tip), "Escape hides the tooltip");
  mouse.click($("#fit"));
  tap(...home);
  check(says(cell), "a tap shows the tooltip");

  const most = Math.max(...cells.map(({ count }) => count));
  const fullest = cells.filter(({ count }) => count === most);
  slide($("#least"), $("#least").max);
  check(text("#count") === `${fullest.length} of ${cells.length} cells`, "the slider hides sparser cells");
  check(text("#leastText").includes(most.toLocaleString("en")), "the slider says how many activations");
  check(fullest.length === cells.length || (await covered()) < whole, "hidden cells are not drawn");
  check(
    [...hoverAll().keys()].every((tooltip) => fullest.map(words).includes(tooltip)),
    "hidden cells have no tooltip",
  );
  slide($("#least"), 0);
  check(Math.abs((await covered()) - whole) < 0.001, "the slider brings them back");
  mouse.click($("#sized"));
  check((await covered()) < whole, "icons can be as large as their cells are full");
});
