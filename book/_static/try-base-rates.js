// The page of the base rates: a thousand faces, and what the answer m is worth among them.
"use strict";

(() => {
  const { data, element, shape, percent, changing, slider, jumps, choice, say, chart, line, face, sample, show } = tryIt;
  const FACES = 1000;
  let age = data.ages[0];
  let labelledM = FACES / 2;

  // Of the faces predicted m, the share that is labelled m (Bayes' rule).
  function predictiveValue(base, { recall, falsePositive }) {
    const right = base * recall;
    return right / (right + (1 - base) * falsePositive);
  }

  // The thousand faces, in whole faces of each kind, as they are drawn: predicted m first.
  function kindsOf(number, { recall, falsePositive }) {
    const hits = Math.round(number * recall);
    const alarms = Math.round((FACES - number) * falsePositive);
    return [
      { label: "m", filled: true, faces: hits, words: "labelled m, predicted m" },
      { label: "f", filled: true, faces: alarms, words: "labelled f, predicted m" },
      { label: "m", filled: false, faces: number - hits, words: "labelled m, predicted f" },
      { label: "f", filled: false, faces: FACES - number - alarms, words: "labelled f, predicted f" },
    ];
  }

  // Small screens have room for fewer faces a row.
  const narrow = window.matchMedia("(max-width: 576px)");
  const crowd = shape("svg", { role: "img", class: "try-crowd" });
  function draw(kinds) {
    const columns = narrow.matches ? 25 : 40;
    crowd.setAttribute("viewBox", `0 0 ${10 * columns} ${(10 * FACES) / columns}`);
    const faces = kinds.flatMap((kind) => Array(kind.faces).fill(kind));
    crowd.replaceChildren(
      ...faces.map(({ label, filled }, place) => {
        return face(5 + 10 * (place % columns), 5 + 10 * Math.floor(place / columns), 7, label, filled);
      }),
    );
    crowd.setAttribute("aria-label", `1,000 small faces: ${kinds.map((kind) => `${kind.faces} ${kind.words}`).join(", ")}.`);
  }

  const counts = kindsOf(labelledM, age).map(({ label, filled, words }) => {
    const number = changing(words, "strong");
    return { number, node: element("li", {}, sample(label, filled), " ", number, ` ${words}`) };
  });
  const worth = changing("worth", "p");
  worth.className = "try-says";
  const rates = changing("rates", "p");
  rates.className = "try-small";

  const bases = data.baseRates.map((number) => number / FACES);
  const frame = chart({
    title: "Predictive value against the base rate",
    x: {
      range: [bases[0], bases.at(-1)],
      scale: Math.log,
      ticks: [[0.001, "0.1 %"], [0.01, "1 %"], [0.05, "5 %"], [0.5, "50 %"]],
      label: "base rate: share labelled m",
    },
    y: { range: [0, 1], ticks: [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]], label: "predictive value" },
  });

  function update() {
    const kinds = kindsOf(labelledM, age);
    draw(kinds);
    kinds.forEach((kind, place) => (counts[place].number.textContent = kind.faces.toLocaleString("en")));
    const base = labelledM / FACES;
    const value = predictiveValue(base, age);
    const predicted = kinds[0].faces + kinds[1].faces;
    worth.textContent =
      `${predicted} of 1,000 faces are predicted m, and ${kinds[0].faces} of these ${kinds[0].faces === 1 ? "is" : "are"} labelled m. ` +
      `The predictive value of m is ${percent(value)}.`;
    rates.textContent =
      `Recall of m ${percent(age.recall)}, false-positive rate ${percent(age.falsePositive)}, at every base rate. ` +
      "The faces are whole; the predictive value is computed from the rates. Dotted: the other age.";
    for (const one of data.ages) {
      const look = one === age ? "try-curve try-m" : "try-curve try-other";
      one.curve.setAttribute("class", look);
    }
    frame.moving.replaceChildren(face(...frame.at(base, value), 11, "m", true));
    frame.describe(`At ${percent(base)}: ${percent(value)}, ${age.name}; the other line is the other age`);
    say(`Base rate ${percent(base)}. ${worth.textContent}`);
  }

  for (const one of data.ages) {
    one.curve = line(bases.map((base) => frame.at(base, predictiveValue(base, one))), "try-curve");
    frame.still.append(one.curve);
  }
  const ages = choice({
    label: "Error rates of the faces",
    options: data.ages.map(({ name }) => name),
    chosen: (place) => {
      age = data.ages[place];
      update();
    },
  });
  const control = slider({
    label: "Base rate, the share labelled m:",
    min: 0,
    max: data.baseRates.length - 1,
    step: 1,
    words: (place) => `${data.baseRates[place] / 10} %, ${data.baseRates[place]} of 1,000`,
    moved: (place) => {
      labelledM = data.baseRates[place];
      update();
    },
  });
  const places = [500, 50, 10].map((number) => [`${number / 10} %`, data.baseRates.indexOf(number)]);
  narrow.addEventListener("change", update);
  control.set(data.baseRates.indexOf(labelledM));
  const legend = element("ul", { class: "try-legend" }, ...counts.map(({ node }) => node));
  const left = element("div", {}, legend, rates);
  const columns = element("div", { class: "try-columns" }, left, element("div", {}, frame.node));
  show(ages, control.node, jumps(control, places), worth, crowd, columns);
})();
