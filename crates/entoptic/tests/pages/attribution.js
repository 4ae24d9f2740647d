"use strict";

test(async () => {
  const { rows, columns, layer, channels, sprites } = data;
  const classes = [data.classes].flat();
  const photo = $("#photo");
  const heat = $("#photo canvas");
  const entries = () => $$("#channels button");
  const entryOf = (unit) => $(`#channels button[data-unit="${unit}"]`);
  const valueIn = (channel, index) => [channel.value].flat()[index];
  const written = (words) => Number(words.replaceAll("−", "-").replaceAll(",", ""));
  const close = (a, b) => Math.abs(a - b) <= 0.006 * Math.abs(b);
  const [strongest, strongestPlace] = [channels.flatMap(({ value }) => value), data.spatial.flat()].map((values) =>
    Math.max(...values.map(Math.abs)),
  );

  /** Opacity by strength, orange for positive, blue for negative. */
  const paints = (values, most) =>
    pixels(heat).every(([red, , blue, opacity], cell) => {
      const strength = Math.abs(values[cell]) / most;
      const color = opacity < 20 || (values[cell] > 0 ? red > blue : blue > red);
      return color && Math.abs(opacity - 0.85 * 255 * strength) < 3;
    });

  const listsClass = async (index) => {
    const values = entries().map((entry) => written(entry.querySelector(".number").textContent));
    check(
      values.every((value, at) => at === 0 || values[at - 1] >= value),
      `class ${index}: strongest positive first`,
    );
    for (const channel of channels) {
      const value = valueIn(channel, index);
      const entry = entryOf(channel.unit);
      const name = `class ${index}, channel ${channel.unit}`;
      check(entry.querySelector("code").textContent === `${layer}:${channel.unit}`, `${name} has its name`);
      check(close(written(entry.querySelector(".number").textContent), value), `${name} has its value`);
      check(hasColorOfSign(entry.querySelector(".bar > span"), value), `${name} has the color of its sign`);
      const [bar, filled] = [".bar", ".bar > span"].map((part) => entry.querySelector(part).getBoundingClientRect());
      const middle = bar.left + bar.width / 2;
      const length = (Math.abs(value) / strongest) * (bar.width / 2);
      check(Math.abs(filled.width - length) < 2, `${name} has a bar as long as its value`);
      check(
        Math.abs((value < 0 ? filled.right : filled.left) - middle) < 2,
        `${name} has its bar on the right side of zero`,
      );
      if (channel.sprite === null) check(entry.querySelector("canvas").dataset.tile === "", `${name} has no sprite`);
      else check(await shows(entry.querySelector("canvas"), sprites, channel.sprite), `${name} has its sprite`);
    }
    check(paints(data.spatial[index], strongestPlace), `class ${index}: the photo shows where`);
    check(text("#value").startsWith(classes[index]), `class ${index} is named under the photo`);
  };

  checkPage();
  check(photo.classList.contains("grey"), "the photo is grey");
  await listsClass(0);
  const options = $$("#classes label").filter(visible);
  check(options.length === (classes.length > 1 ? classes.length : 0), "one chooses among several classes only");
  if (classes.length > 1) {
    const last = classes.length - 1;
    check(
      options.every((option, at) => option.textContent === classes[at]),
      "each class has its name",
    );
    mouse.click(options[last]);
    await listsClass(last);
    mouse.click(options[0]);
  }

  const cell = rows * columns - 1;
  const saysValue = (values, how) => {
    const words = text("#value");
    check(words.endsWith(`row ${rows - 1}, column ${columns - 1}`), `${how} says where`);
    check(close(written(/: (\S+) at/.exec(words)?.[1] ?? "none"), values[cell]), `${how} says the value`);
  };
  mouse.move(...cellOf(photo, cell));
  saysValue(data.spatial[0], "hovering");
  check(visible(photo.querySelector(".outline")), "hovering outlines the cell");
  mouse.move($("h1"));
  check(text("#value") === classes[0] && !visible(photo.querySelector(".outline")), "the value goes with the mouse");
  tap(...cellOf(photo, cell));
  saysValue(data.spatial[0], "a tap");

  const mapped = channels.find(({ map }) => map);
  if (mapped) {
    const most = Math.max(...mapped.map.map(Math.abs));
    mouse.move(entryOf(mapped.unit));
    check(paints(mapped.map, most), "hovering a channel shows its own map");
    check(text("#value").startsWith(`${layer}:${mapped.unit}`), "and names it");
    saysValue(mapped.map, "the pinned cell in the map");
    mouse.move($("h1"));
    check(paints(data.spatial[0], strongestPlace), "the map goes with the mouse");
    entryOf(mapped.unit).focus();
    check(paints(mapped.map, most), "the focus shows the map as well");
    entryOf(mapped.unit).blur();
    tap(entryOf(mapped.unit));
    check(paints(mapped.map, most), "so does a tap");
    tap($("h1"));
  }
  const unmapped = channels.find(({ map }) => !map);
  if (unmapped) {
    mouse.move(entryOf(unmapped.unit));
    check(paints(data.spatial[0], strongestPlace), "a channel without a map changes nothing");
  }
  key("Escape");
  check(!visible(photo.querySelector(".outline")), "Escape lets go");
});
