"use strict";

test(async () => {
  const { rows, columns } = data;
  const [photo, icons] = [$("#photo"), $("#icons")];
  const outlined = (board, cell) => {
    const frame = board.querySelector(".outline").getBoundingClientRect();
    const [x, y] = cellOf(board, cell);
    const whole = board.getBoundingClientRect();
    const near = (a, b) => Math.abs(a - b) < 1;
    const placed = near(frame.left + frame.width / 2, x) && near(frame.top + frame.height / 2, y);
    return placed && near(frame.width, whole.width / columns) && near(frame.height, whole.height / rows);
  };
  const where = (cell) => `row ${Math.floor(cell / columns)}, column ${cell % columns}`;
  const looksAt = async (cell, how) => {
    check(outlined(photo, cell) && outlined(icons, cell), `${how} outlines the cell in both`);
    check(text("#where").startsWith(where(cell)), `${how} names the cell`);
    check(await shows($("#icon"), data.icons, cell), `${how} shows the icon of the cell`);
  };
  const pinned = () => text("#where").endsWith("pinned");

  checkPage();
  const [a, b] = [photo.getBoundingClientRect(), icons.getBoundingClientRect()];
  check(Math.abs(a.width - b.width) < 1 && Math.abs(a.height - b.height) < 1, "photo and icons are equally large");
  const drawnIcons = icons.querySelector("canvas");
  const [w, h] = [drawnIcons.width / columns, drawnIcons.height / rows];
  for (const cell of [0, columns - 1, columns, rows * columns - 1]) {
    const there = mean(pixels(drawnIcons, (cell % columns) * w, Math.floor(cell / columns) * h, w, h));
    const own = mean(await tilePixels(data.icons, cell));
    check(Math.hypot(...own.map((value, at) => value - there[at])) < 3, `icon ${cell} is at its cell`);
  }
  check(photo.querySelector("img").naturalWidth > 0, "the photo is there");

  const last = rows * columns - 1;
  mouse.move(...cellOf(photo, last));
  await looksAt(last, "hovering the photo");
  const patch = String(pixels($("#patch")));
  mouse.move(...cellOf(icons, 0));
  await looksAt(0, "hovering the icons");
  check(String(pixels($("#patch"))) !== patch, "another cell shows another patch of the photo");

  mouse.click(...cellOf(icons, columns));
  check(pinned(), "a click pins");
  mouse.move(...cellOf(photo, 0));
  await looksAt(columns, "a pinned cell stays and");
  mouse.click(...cellOf(photo, columns));
  check(!pinned(), "a second click lets go");
  mouse.click(...cellOf(photo, columns));
  key("Escape");
  check(!pinned(), "Escape lets go");

  mouse.click(...cellOf(photo, 0));
  key("ArrowRight");
  await looksAt(1, "the right arrow");
  key("ArrowDown");
  await looksAt(columns + 1, "the down arrow");
  key("ArrowLeft");
  key("ArrowLeft");
  await looksAt(columns, "the left arrow, no farther than the edge,");
  key("ArrowUp");
  await looksAt(0, "the up arrow");
  key("Enter");
  check(!pinned(), "Enter lets go");

  tap(...cellOf(icons, last));
  await looksAt(last, "a tap");
});
