// What the interactive pages share: controls that the keyboard moves, charts and small faces drawn as SVG, and a line for those
// who listen. Plain scripts, which a browser also runs on a page that was opened from a file; nothing is asked of anybody.
"use strict";

const tryIt = (() => {
  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const shape = (name, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

  const data = JSON.parse(document.getElementById("try-data").textContent);
  const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`; // the space does not break
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

  // A text that changes; tests find it by its name.
  const changing = (name, tag = "span") => element(tag, { "data-shown": name });

  // A slider with its label and, in words, where it stands. `set` moves it, also between two steps. A page with several gives
  // each a name.
  function slider({ name, label, min, max, step, words, moved }) {
    const id = name ? `try-slider-${name}` : "try-slider";
    const input = element("input", { type: "range", id, min, max, step });
    const where = changing(name ? `where ${name}` : "where");
    const move = (value) => {
      where.textContent = words(value);
      input.setAttribute("aria-valuetext", where.textContent);
      moved(value);
    };
    input.addEventListener("input", () => move(Number(input.value)));
    const set = (value) => {
      input.value = value; // the nearest of its steps
      move(value);
    };
    const node = element("div", { class: "try-slider" }, element("label", { for: input.id }, label), " ", where, input);
    return { node, set };
  }

  // Buttons that move a slider to a place worth seeing: [words, value] each.
  const jumps = (control, places) =>
    element(
      "div",
      { class: "try-jumps" },
      ...places.map(([words, value]) => {
        const button = element("button", { type: "button" }, words);
        button.addEventListener("click", () => control.set(value));
        return button;
      }),
    );

  // One of several, by radio buttons.
  function choice({ name = "try-choice", label, options, chosen }) {
    const buttons = options.map((words, place) => {
      const input = element("input", { type: "radio", name, value: place });
      input.checked = place === 0;
      input.addEventListener("change", () => chosen(place));
      return element("label", {}, input, ` ${words}`);
    });
    return element("fieldset", { class: "try-choice" }, element("legend", {}, label), ...buttons);
  }

  // A line that a screen reader says when the reader has stopped moving: not at each step on the way.
  const spoken = element("p", { class: "try-spoken", "aria-live": "polite", "data-shown": "spoken" });
  let waiting = 0;
  let begun = false;
  const say = (words) => {
    clearTimeout(waiting);
    if (begun) waiting = setTimeout(() => (spoken.textContent = words), 500);
    begun = true; // what stands there at first is not said
  };

  // A chart's frame. `at` gives the place of a pair of values; what moves goes into `moving`.
  function chart({ title, x, y, width = 320, height = 230 }) {
    const longest = Math.max(...y.ticks.map(([, words]) => words.length));
    const [left, right, top, bottom] = [28 + 7 * longest, width - 10, 10, height - 42];
    const along = x.scale ?? ((value) => value);
    const share = (value, [low, high], scale) => (scale(value) - scale(low)) / (scale(high) - scale(low));
    const at = (first, second) => [
      left + (right - left) * share(first, x.range, along),
      bottom + (top - bottom) * share(second, y.range, (value) => value),
    ];
    const moving = shape("g");
    const still = shape("g");
    for (const [value, words] of x.ticks) {
      const [across] = at(value, y.range[0]);
      still.append(shape("line", { x1: across, x2: across, y1: bottom, y2: bottom + 4, class: "try-axis" }));
      still.append(shape("text", { x: across, y: bottom + 17, "text-anchor": "middle" }, words));
    }
    for (const [value, words] of y.ticks) {
      const [, down] = at(x.range[0], value);
      still.append(shape("line", { x1: left, x2: right, y1: down, y2: down, class: "try-grid" }));
      still.append(shape("text", { x: left - 6, y: down + 4, "text-anchor": "end" }, words));
    }
    still.append(shape("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "try-axis" }));
    still.append(shape("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, x.label));
    const middle = (top + bottom) / 2;
    const turned = { x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` };
    still.append(shape("text", turned, y.label));
    const node = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, still, moving);
    return { node, still, moving, at, describe: (words) => node.setAttribute("aria-label", `${title}. ${words}`) };
  }

  const line = (points, look) => shape("polyline", { points: points.map((point) => point.join()).join(" "), class: look });

  // A small face: square if it is labelled m, round if f; filled or hollow.
  const face = (x, y, size, label, filled) =>
    shape("rect", {
      x: x - size / 2,
      y: y - size / 2,
      width: size,
      height: size,
      rx: label === "m" ? 0 : size / 2,
      class: `try-face try-${label} ${filled ? "try-filled" : "try-hollow"}`,
    });

  // One face in a line of text, to say what the faces of a figure mean; if there are curves, on a piece of its curve.
  function sample(label, filled, curve = false) {
    const width = curve ? 44 : 14;
    const parts = curve ? [line([[0, 7], [width, 7]], `try-curve try-${label}`)] : [];
    const node = shape("svg", { viewBox: `0 0 ${width} 14`, class: "try-sample", "aria-hidden": "true" }, ...parts);
    node.style.width = `${width / 16}em`;
    node.append(face(width / 2, 7, 11, label, filled));
    return node;
  }

  // When all is built, it takes the place of the still figure.
  function show(...parts) {
    document.getElementById("try").append(...parts, spoken);
    document.querySelector(".try-still").hidden = true;
  }

  return { data, element, shape, percent, sum, changing, slider, jumps, choice, say, chart, line, face, sample, show };
})();
