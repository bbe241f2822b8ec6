// The page of the temperature: a reliability diagram, and two scores at every temperature.
"use strict";

(() => {
  const { data, element, shape, percent, sum, changing, slider, jumps, say, chart, line, show } = tryIt;
  const BINS = 10;
  const EXPONENTS = Array.from({ length: 81 }, (_, place) => (place - 40) / 20); // of 2: from 1/4 to 4
  const FITTED = Math.log2(data.fitted);

  // Probabilities at a temperature. The greatest logit is 0, so no power is too great.
  function scaled(below, temperature) {
    const powers = below.map((thousandths) => Math.exp(-thousandths / 1000 / temperature));
    const total = sum(powers);
    return powers.map((power) => power / total);
  }

  // All that the page says about a temperature, as lesson 6.3 computes it.
  function scores(temperature) {
    const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0, faces: 0 }));
    let loss = 0;
    data.labels.forEach((label, place) => {
      const given = scaled(data.below[place], temperature);
      const confidence = Math.max(...given);
      const bin = bins[Math.min(Math.floor(confidence * BINS), BINS - 1)];
      bin.confidence += confidence;
      bin.right += given.indexOf(confidence) === label;
      bin.faces += 1;
      loss -= Math.log(given[label]);
    });
    const faces = data.labels.length;
    return {
      bins: bins.filter((bin) => bin.faces).map((bin) => ({
        confidence: bin.confidence / bin.faces,
        accuracy: bin.right / bin.faces,
        faces: bin.faces,
      })),
      ece: sum(bins.map((bin) => Math.abs(bin.confidence - bin.right))) / faces,
      loss: loss / faces,
      accuracy: sum(bins.map((bin) => bin.right)) / faces,
      confidence: sum(bins.map((bin) => bin.confidence)) / faces,
    };
  }

  const tenths = [[0, "0"], [0.5, "0.5"], [1, "1"]];
  const diagram = chart({
    title: "Reliability diagram",
    x: { range: [0, 1], ticks: tenths, label: "confidence" },
    y: { range: [0, 1], ticks: tenths, label: "share that is right" },
    height: 314,
  });
  diagram.still.append(line([diagram.at(0, 0), diagram.at(1, 1)], "try-axis"));

  // One score at all temperatures, with a mark at the one that is chosen.
  const everywhere = EXPONENTS.map((exponent) => scores(2 ** exponent));
  function curve(key, name) {
    const values = everywhere.map((found) => found[key]);
    const top = Math.ceil(10 * Math.max(...values)) / 10;
    const low = key === "ece" ? 0 : Math.floor(10 * Math.min(...values)) / 10;
    const frame = chart({
      title: `${name} against the temperature`,
      x: {
        range: [0.25, 4],
        scale: Math.log2,
        ticks: [[0.25, "¼"], [0.5, "½"], [1, "1"], [2, "2"], [4, "4"]],
        label: "temperature",
      },
      y: { range: [low, top], ticks: [[low, low.toFixed(1)], [top, top.toFixed(1)]], label: name },
      height: 155,
    });
    const [across, down] = frame.at(data.fitted, low);
    frame.still.append(shape("line", { x1: across, x2: across, y1: frame.at(1, top)[1], y2: down, class: "try-fitted" }));
    frame.still.append(line(EXPONENTS.map((exponent, place) => frame.at(2 ** exponent, values[place])), "try-curve try-m"));
    const mark = (temperature, value) => {
      const [x, y] = frame.at(temperature, value);
      frame.moving.replaceChildren(shape("circle", { cx: x, cy: y, r: 6, class: "try-face try-m try-filled" }));
      frame.describe(`${value.toFixed(3)} at ${temperature.toFixed(2)}; fitted: ${data.fitted.toFixed(2)}`);
    };
    return { frame, mark };
  }
  const loss = curve("loss", "log loss");
  const ece = curve("ece", "ECE");
  const level = line([ece.frame.at(0.25, data.limit), ece.frame.at(4, data.limit)], "try-limit");
  ece.frame.still.append(level);

  const shown = Object.fromEntries(["ece", "loss", "accuracy", "confidence"].map((name) => [name, changing(name, "td")]));
  const row = (words, name) => element("tr", {}, element("th", { scope: "row" }, words), shown[name]);
  const table = element(
    "table",
    { class: "try-numbers" },
    element("caption", {}, "At this temperature"),
    element(
      "tbody",
      {},
      row("Expected calibration error (ECE)", "ece"),
      row("Log loss", "loss"),
      row("Mean confidence", "confidence"),
      row("Accuracy, which stays", "accuracy"),
    ),
  );
  const binRows = changing("bins", "tbody");
  const head = ["confidence", "share right", "faces"].map((words) => element("th", { scope: "col" }, words));
  const numbers = element(
    "details",
    {},
    element("summary", {}, "The bins as numbers"),
    element("table", { class: "try-numbers" }, element("thead", {}, element("tr", {}, ...head)), binRows),
  );
  const verdict = changing("verdict", "p");
  verdict.className = "try-says";

  function move(exponent) {
    const temperature = 2 ** exponent;
    const found = scores(temperature);
    const dots = found.bins.map((bin) => diagram.at(bin.confidence, bin.accuracy));
    const ends = found.bins.map((bin) => diagram.at(bin.confidence, bin.confidence));
    diagram.moving.replaceChildren(
      ...dots.map((dot, place) => line([dot, ends[place]], "try-gap")),
      line(dots, "try-curve try-m"),
      // Areas as in the lesson: a dot with all faces would have 210 points.
      ...dots.map(([cx, cy], place) => {
        const points = 10 + (200 * found.bins[place].faces) / data.labels.length;
        return shape("circle", { cx, cy, r: 1.4 * Math.sqrt(points / Math.PI), class: "try-face try-m try-filled" });
      }),
    );
    diagram.describe(`ECE ${found.ece.toFixed(3)}`);
    loss.mark(temperature, found.loss);
    ece.mark(temperature, found.ece);
    shown.ece.textContent = found.ece.toFixed(3);
    shown.loss.textContent = found.loss.toFixed(3);
    shown.confidence.textContent = percent(found.confidence);
    shown.accuracy.textContent = percent(found.accuracy);
    binRows.replaceChildren(
      ...found.bins.map((bin) => {
        const cells = [percent(bin.confidence), percent(bin.accuracy), bin.faces];
        return element("tr", {}, ...cells.map((words) => element("td", {}, String(words))));
      }),
    );
    const sure = found.confidence > found.accuracy ? "overconfident" : "underconfident";
    verdict.textContent =
      `On average the network is ${sure}: its mean confidence is ${percent(found.confidence)}, ` +
      `and ${percent(found.accuracy)} of its answers are right.`;
    say(`Temperature ${temperature.toFixed(2)}. ECE ${shown.ece.textContent}, log loss ${shown.loss.textContent}. ${verdict.textContent}`);
  }

  const control = slider({
    label: "Temperature:",
    min: -2,
    max: 2,
    step: 0.05,
    words: (exponent) => (2 ** exponent).toFixed(2),
    moved: move,
  });
  const places = [["1, as trained", 0], [`${data.fitted.toFixed(2)}, fitted on the validation albums`, FITTED]];
  control.set(0);
  const key = element("p", { class: "try-small" }, "Dotted: the fitted temperature. Dashed: 95\u00a0% of calibrated networks have a smaller ECE.");
  const right = element("div", {}, loss.frame.node, ece.frame.node, key);
  const columns = element("div", { class: "try-columns" }, element("div", {}, diagram.node), right);
  show(control.node, jumps(control, places), verdict, columns, table, numbers);
})();
