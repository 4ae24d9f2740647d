"use strict";

test(async () => {
  const { rows, columns, cells, units, layer, sprites } = data;
  const photo = $("#photo");
  const heat = $("#photo canvas");
  const entries = () => $$("#channels button");
  const most = Math.max(...cells.flat().map(([, value]) => value));
  const listsCell = async (cell, how) => {
    check(
      text("#where").startsWith(`row ${Math.floor(cell / columns)}, column ${cell % columns}`),
      `${how} names the cell`,
    );
    check(
      photo.querySelector(".outline").dataset.cell === String(cell) && visible(photo.querySelector(".outline")),
      `${how} outlines the cell`,
    );
    check(entries().length === cells[cell].length, `${how} lists all channels of the cell`);
    for (const [at, [unit, value]] of cells[cell].entries()) {
      const entry = entries()[at];
      check(entry.querySelector("code").textContent === `${layer}:${unit}`, `${how} names channel ${at}`);
      const number = Number(entry.querySelector(".number").textContent.replaceAll("−", "-").replaceAll(",", ""));
      check(Math.abs(number - value) <= 0.006 * Math.abs(value), `${how} writes the value of channel ${at}`);
      const [whole, filled] = [".bar", ".bar > span"].map(
        (part) => entry.querySelector(part).getBoundingClientRect().width,
      );
      check(Math.abs(filled / whole - Math.max(0, value) / most) < 0.02, `${how} draws the value of channel ${at}`);
      const sprite = units.indexOf(unit);
      if (sprite >= 0) check(await shows(entry.querySelector("canvas"), sprites, sprite), `${how} shows channel ${at}`);
    }
  };
  const opacities = () => pixels(heat).map(([, , , opacity]) => opacity);
  const last = rows * columns - 1;

  checkPage();
  mouse.move(...cellOf(photo, last));
  await listsCell(last, "hovering");
  mouse.click(...cellOf(photo, 0));
  await listsCell(0, "a click");
  mouse.move(...cellOf(photo, last));
  await listsCell(0, "a pinned cell stays and");
  check(
    opacities().every((opacity) => opacity === 0),
    "no heat before a channel is hovered",
  );

  mouse.move(entries()[0]);
  const values = cells.map((top) => Math.max(0, top.find(([unit]) => unit === cells[0][0][0])?.[1] ?? 0));
  const highest = Math.max(...values);
  const shown = opacities();
  check(highest === 0 || Math.max(...shown) > 150, "a hovered channel shows its heat");
  const scale = Math.max(...shown) / (highest || 1);
  check(
    shown.every((opacity, cell) => Math.abs(opacity - scale * values[cell]) < 2),
    "the heat is as strong as the channel",
  );
  check(photo.classList.contains("grey"), "the photo is grey under the heat");
  mouse.move($("h1"));
  check(
    opacities().every((opacity) => opacity === 0) && !photo.classList.contains("grey"),
    "the heat goes with the mouse",
  );
  entries()[0].focus();
  check(highest === 0 || Math.max(...opacities()) > 150, "the focus shows the heat as well");
  key("Escape");
  check(!text("#where").endsWith("pinned"), "Escape lets go");

  mouse.click(...cellOf(photo, 0));
  key("ArrowRight");
  await listsCell(1, "the right arrow");
  key("ArrowDown");
  await listsCell(columns + 1, "the down arrow");
  key("Escape");
  tap(...cellOf(photo, last));
  await listsCell(last, "a tap");
  tap(entries()[0]);
  check(entries()[0].classList.contains("active"), "a tap on a channel keeps its heat");
  tap($("h1"));
  check(!entries()[0].classList.contains("active"), "a tap elsewhere takes it away");
});
