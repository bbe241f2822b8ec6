// The page of the threshold: for two ages, both error rates at every threshold, and a hundred faces of each kind.
"use strict";

(() => {
  const { data, element, shape, percent, changing, slider, jumps, say, chart, line, face, sample, show } = tryIt;
  const THRESHOLDS = Array.from({ length: 101 }, (_, place) => place / 100);

  // The share of the faces with this label that get the other one.
  function errorRate(probabilities, label, threshold) {
    const calledM = probabilities.filter((probability) => probability >= threshold).length / probabilities.length;
    return label === "f" ? calledM : 1 - calledM;
  }

  // A hundred faces in five rows; those that are wrong come first and are filled.
  function hundred(label) {
    const faces = Array.from({ length: 100 }, (_, place) => {
      return face(8 + 15.5 * (place % 20), 8 + 15.5 * Math.floor(place / 20), 11, label, false);
    });
    const node = shape("svg", { viewBox: "0 0 312 79", class: "try-hundred", "aria-hidden": "true" }, ...faces);
    const fill = (wrong) => faces.forEach((one, place) => {
      one.classList.toggle("try-filled", place < wrong);
      one.classList.toggle("try-hollow", place >= wrong);
    });
    return { node, fill };
  }

  // Everything about one age; `move` shows a threshold and returns how many of a hundred are wrong.
  function panel(age) {
    const frame = chart({
      title: `Error rates against the threshold, ${age.name}`,
      x: { range: [0, 1], ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]], label: "threshold for m" },
      y: { range: [0, 1], ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]], label: "error rate" },
    });
    const kinds = ["f", "m"].map((label) => {
      const kind = age[label];
      const rates = THRESHOLDS.map((threshold) => errorRate(kind.probabilities, label, threshold));
      const points = THRESHOLDS.map((threshold, place) => frame.at(threshold, rates[place]));
      frame.still.append(line(points, `try-curve try-${label}`));
      const faces = hundred(label);
      const name = `${label} ${age.name}`;
      const texts = { count: changing(`count ${name}`, "strong"), rate: changing(`rate ${name}`) };
      const words = element("p", {}, sample(label, true, true), ` labelled ${label}: `, texts.count, " of 100 wrong");
      const small = element("p", { class: "try-small" }, texts.rate, `; ${kind.faces} faces, ${kind.albums} albums`);
      return { label, kind, rates, faces, texts, node: element("div", {}, words, faces.node, small) };
    });
    const title = element("p", { class: "try-title" }, age.name);
    const node = element("div", { role: "group", "aria-label": age.name }, title, frame.node, ...kinds.map((kind) => kind.node));

    function move(threshold) {
      const place = Math.round(100 * threshold);
      const [across, top] = frame.at(threshold, 1);
      const [, bottom] = frame.at(threshold, 0);
      frame.moving.replaceChildren(shape("line", { x1: across, x2: across, y1: top, y2: bottom, class: "try-here" }));
      const found = kinds.map(({ label, kind, rates, faces, texts }) => {
        const wrong = Math.round(100 * rates[place]);
        const interval = kind.intervals[place];
        const [x, y] = frame.at(threshold, rates[place]);
        if (interval) {
          const beside = x + (label === "f" ? -3 : 3); // so that neither bar hides the other
          const [low, high] = interval.map((end) => frame.at(0, end)[1]);
          frame.moving.append(shape("line", { x1: beside, x2: beside, y1: low, y2: high, class: `try-bar try-${label}` }));
        }
        frame.moving.append(face(x, y, 11, label, true));
        faces.fill(wrong);
        texts.count.textContent = wrong;
        texts.rate.textContent = interval
          ? `${percent(rates[place])} (${interval.map((end) => (100 * end).toFixed(1)).join("–")})`
          : `${percent(rates[place])}, no interval`;
        return { wrong, words: `labelled ${label}, ${age.name}` };
      });
      frame.describe(found.map((kind) => `Of 100 ${kind.words}, ${kind.wrong} wrong`).join(". "));
      return found;
    }
    return { node, move };
  }

  const panels = data.ages.map(panel);
  const pays = changing("pays", "p");
  pays.className = "try-says";
  const control = slider({
    label: "Threshold for m:",
    min: 0,
    max: 1,
    step: 0.01,
    words: (threshold) => threshold.toFixed(2),
    moved: (threshold) => {
      const kinds = panels.flatMap(({ move }) => move(threshold));
      const counts = kinds.map(({ wrong }) => wrong);
      const those = (number) => kinds.filter(({ wrong }) => wrong === number).map(({ words }) => words).join(", and ");
      const [most, least] = [Math.max(...counts), Math.min(...counts)];
      pays.textContent =
        `Most errors fall on faces ${those(most)}: ${most} of 100 are wrong. ` +
        `Fewest fall on faces ${those(least)}: ${least} of 100.`;
      say(`Threshold ${threshold.toFixed(2)}. ${pays.textContent}`);
    },
  });
  const places = [["0.5", 0.5], [`${data.chosen.toFixed(2)}, chosen on the validation albums`, data.chosen]];
  const columns = element("div", { class: "try-columns" }, ...panels.map(({ node }) => node));
  control.set(0.5);
  show(control.node, jumps(control, places), pays, columns);
})();
