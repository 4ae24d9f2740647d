"use strict";

test(async () => {
  const { rows, columns, groups, icons } = data;
  const classes = [data.classes].flat();
  const photo = $("#photo");
  const layer = $("#photo canvas");
  const cards = $$("#cards button");
  const strongest = Math.max(...groups.flatMap(({ effects }) => effects.map(Math.abs)));
  const active = () => cards.flatMap((card, group) => (card.classList.contains("active") ? [group] : []));
  const only = (group) => String(active()) === String(group);
  /** The darker the less there is of the group. */
  const isolates = ({ map }) =>
    pixels(layer).every(([red, green, blue, opacity], cell) => {
      const dark = opacity < 20 || red + green + blue < 90;
      return dark && Math.abs(opacity - 0.92 * 255 * (1 - map[cell])) < 3;
    });
  const colored = () =>
    pixels(layer).every(([, , , opacity], cell) => {
      const most = Math.max(...groups.map(({ map }) => map[cell]));
      return Math.abs(opacity - 0.85 * 255 * Math.min(1, most)) < 3;
    });

  checkPage();
  check(cards.length === groups.length, "each group has its card");
  for (const [group, { color, effects, map }] of groups.entries()) {
    const name = `group ${group}`;
    check(await shows(cards[group].querySelector("canvas"), icons, group), `${name} has its icon`);
    const part = (at) => parseInt(color.slice(at, at + 2), 16);
    const border = `rgb(${part(1)}, ${part(3)}, ${part(5)})`;
    check(getComputedStyle(cards[group]).borderLeftColor === border, `${name} has its color`);
    const lines = [...cards[group].querySelectorAll(".effect")];
    check(lines.length === classes.length, `${name} has a bar for each class`);
    for (const [at, value] of effects.entries()) {
      const effect = `${name}, effect on class ${at}`;
      const line = lines[at];
      check(line.firstChild.textContent === classes[at], `${effect}: it is named`);
      const written = Number(line.querySelector(".number").textContent.replaceAll("−", "-").replaceAll(",", ""));
      check(Math.abs(written - value) <= 0.006 * Math.abs(value), `${effect}: it is written`);
      const [bar, filled] = [".bar", ".bar > span"].map((part) => line.querySelector(part).getBoundingClientRect());
      const length = (Math.abs(value) / strongest) * (bar.width / 2);
      check(Math.abs(filled.width - length) < 2, `${effect}: the bar is as long as it is strong`);
      const zero = value < 0 ? filled.right : filled.left;
      check(Math.abs(zero - bar.left - bar.width / 2) < 2, `${effect}: the bar begins at zero`);
      check(hasColorOfSign(line.querySelector(".bar > span"), value), `${effect}: the bar has the color of its sign`);
    }
    const peak = map.indexOf(Math.max(...map));
    const alone = groups.every((other) => other.map === map || other.map[peak] < 0.1 * map[peak]);
    if (alone && map[peak] > 0.5) {
      const [red, green, blue] = pixels(layer)[peak];
      const near = [red, green, blue].every((value, i) => Math.abs(value - part(1 + 2 * i)) < 40);
      check(near, `${name} colors its place`);
    }
  }

  check(colored(), "all groups color the photo");
  for (const group of groups.keys()) {
    mouse.move(cards[group]);
    check(only(group) && isolates(groups[group]), `hovering card ${group} isolates its area`);
  }
  mouse.move($("h1"));
  check(active().length === 0 && colored(), "all groups are back when the mouse leaves");
  cards[0].focus();
  check(only(0) && isolates(groups[0]), "the focus isolates as well");
  cards[0].blur();

  for (const cell of [0, rows * columns - 1, Math.floor((rows * columns) / 2)]) {
    const values = groups.map(({ map }) => map[cell]);
    const most = Math.max(...values);
    mouse.move(...cellOf(photo, cell));
    const group = values.indexOf(most);
    if (most > 0) check(only(group) && isolates(groups[group]), `hovering cell ${cell} finds its group`);
    else check(active().length === 0, `no group is at cell ${cell}`);
  }
  mouse.move($("h1"));
  check(active().length === 0, "no card is marked when the mouse leaves the photo");

  tap(cards[cards.length - 1]);
  check(only(cards.length - 1), "a tap on a card isolates");
  tap($("h1"));
  check(active().length === 0, "a tap elsewhere ends it");
});
