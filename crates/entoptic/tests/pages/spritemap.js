"use strict";

test(async () => {
  const { units, layer, sprites } = data;
  const tile = (unit) => $(`#tiles button[data-unit="${unit}"]`);
  const shown = () =>
    $$("#tiles button")
      .filter(visible)
      .map((button) => Number(button.dataset.unit));
  const same = (a, b) => String(a) === String(b);
  const dialog = $("#dialog");
  const isOpenAt = async (index, how) => {
    check(dialog.open, `${how} opens the dialog`);
    check(text("#name") === `${layer}:${units[index]}`, `${how} names the channel`);
    check(await shows($("#large"), sprites, index), `${how} shows the channel`);
    check(location.hash === `#${units[index]}`, `${how} puts the channel into the address`);
  };
  const last = units.length - 1;

  checkPage();
  check(same(shown(), units), "all channels are there in order");
  check(
    $$("#tiles button").every((button) => button.textContent === button.dataset.unit),
    "each has its number",
  );
  for (const index of [0, last]) {
    check(await shows(tile(units[index]).querySelector("canvas"), sprites, index), `tile ${index} is the right one`);
  }

  write($("#filter"), `${units[0]}, ${units[1]} - ${units[2]}`);
  check(
    same(
      shown(),
      units.filter((unit) => unit === units[0] || (unit >= units[1] && unit <= units[2])),
    ),
    "lists and ranges filter",
  );
  check(text("#count") === `${shown().length} of ${units.length}`, "how many are left is written");
  write($("#filter"), String(units[last]));
  check(same(shown(), [units[last]]), "a number filters");
  write($("#filter"), "many");
  check(
    $("#filter").getAttribute("aria-invalid") === "true" && same(shown(), units),
    "what cannot be read filters nothing",
  );
  write($("#filter"), "");
  check(same(shown(), units) && $("#filter").getAttribute("aria-invalid") === "false", "an empty box shows all");

  slide($("#size"), 40);
  const small = tile(units[0]).getBoundingClientRect().width;
  slide($("#size"), 160);
  check(tile(units[0]).getBoundingClientRect().width > 1.5 * small, "the slider makes tiles larger");

  mouse.click(tile(units[0]));
  await isOpenAt(0, "a click");
  check($("#previous").disabled, "nothing is before the first");
  key("ArrowRight");
  await isOpenAt(1, "the right arrow");
  key("ArrowLeft");
  await isOpenAt(0, "the left arrow");
  mouse.click($("#next"));
  await isOpenAt(1, "the next button");
  mouse.click($("#previous"));
  await isOpenAt(0, "the previous button");
  key("ArrowRight");
  mouse.click($("#copy"));
  await until(() => text("#copy") === "Copied", "the name is copied");
  key("Escape");
  await until(() => location.hash === "", "Escape takes the channel out of the address");
  check(!dialog.open, "Escape closes the dialog");
  check(document.activeElement === tile(units[1]), "the focus is on the tile that was shown last");

  key("ArrowLeft");
  check(document.activeElement === tile(units[0]), "arrow keys walk through the tiles");
  key("Enter");
  await isOpenAt(0, "Enter");
  mouse.click($("#close"));
  check(!dialog.open, "the close button closes");

  tap(tile(units[last]));
  await isOpenAt(last, "a tap");
  check($("#next").disabled, "nothing is after the last");
  tap(2, 2);
  check(!dialog.open, "a tap beside the dialog closes it");
  await until(() => location.hash === "", "the address is free");

  location.hash = `#${units[2]}`;
  await until(() => dialog.open, "an address opens its channel");
  await isOpenAt(2, "an address");
});
