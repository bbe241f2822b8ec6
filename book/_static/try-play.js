// The page "Play": rendered heads whose causes move, and two networks that answer at once, here in the page.
"use strict";

(() => {
  const { data, element, changing, choice, slider, say, show } = tryIt;
  const { prepared, cover, squares, seen, resize } = pixels();
  const { softmax } = network();
  const ask = engine(playData.networks);
  const { side: SIDE, groups, networks } = data;
  const SIZE = 96; // pixels of a picture's side
  const BRUSH = 16; // pixels of the square that covers
  const whole = (share) => `${Math.round(100 * share)}\u00a0%`;
  const link = (words, href) => element("a", { href }, words);
  const hint = (...words) => element("p", { class: "try-small" }, ...words);
  const group = (title, ...parts) => element("div", { class: "play-group" }, element("h2", {}, title), ...parts);

  // What the reader has set.
  const state = {
    head: 0,
    picture: null, // as the sliders have it, or the reader's own
    own: false, // whether it is the reader's
    truth: null, // what it was rendered with: { words, group }
    covered: [],
    broken: {},
    network: 0,
    temperature: 1,
    threshold: 0,
  };

  // ---- Pictures -----------------------------------------------------------------------------------------------------------

  const surface = (size, attributes) => {
    const canvas = element("canvas", { width: size, height: size, ...attributes });
    return { canvas, context: canvas.getContext("2d", { willReadFrequently: true }) };
  };

  const bare = ({ data: values, width, height }) => ({
    width,
    height,
    values: Float32Array.from({ length: 3 * width * height }, (_, place) => values[4 * Math.floor(place / 3) + (place % 3)]),
  });

  function draw(context, { width, height, values }) {
    const image = context.createImageData(width, height);
    image.data.fill(255);
    for (let place = 0; place < values.length; place += 1) image.data[4 * Math.floor(place / 3) + (place % 3)] = values[place];
    context.putImageData(image, 0, 0);
  }

  const reading = surface(SIZE, {});
  const read = new Map(); // the pictures that were shown before
  async function pictureOf(number) {
    if (!read.has(number)) {
      const image = new Image();
      image.src = `data:image/jpeg;base64,${playData.pictures[number]}`;
      await image.decode();
      reading.context.drawImage(image, 0, 0);
      read.set(number, bare(reading.context.getImageData(0, 0, SIZE, SIZE)));
    }
    return read.get(number);
  }

  const face = surface(SIZE, { class: "play-face", tabindex: 0, role: "application" });
  const input = surface(SIDE, { class: "play-input", role: "img", "aria-label": "What the network gets" });
  const map = element("div", { class: "play-map", hidden: "" });
  const cursor = element("div", { class: "play-cursor", hidden: "" });
  const progress = changing("map", "span");
  let mapping = 0; // which map was asked for last
  function forgetMap() {
    mapping += 1;
    map.hidden = true;
    progress.textContent = "";
  }

  // ---- Answers ------------------------------------------------------------------------------------------------------------

  const rows = ["labelled m", ...groups].map((words) => ({
    words,
    bar: element("span", { class: "try-share" }),
    other: element("span", { class: "play-other" }),
    name: element("span", {}, words),
    shown: changing(words === "labelled m" ? "m" : `share ${words}`),
  }));
  const meter = ({ name, bar, other, shown }) =>
    element("div", { class: "try-row" }, name, element("span", { class: "try-track" }, bar, other), shown);
  const truth = changing("truth", "p");
  const verdict = changing("verdict", "p");
  const elsewhere = changing("other", "p");
  const speed = changing("speed");
  const times = [];

  const probabilities = ({ m, logits }) => [m, ...softmax(logits, state.temperature)];
  const best = (ages) => ages.indexOf(Math.max(...ages));
  const words = (text) => element("span", { class: "try-word" }, text);
  // "(25, 32) with 58 %, labelled m with 50 %."
  const said = ([m, ...ages]) => [
    words(groups[best(ages)]),
    ` with ${whole(Math.max(...ages))}, labelled `,
    words(`${m >= 0.5 ? "m" : "f"} with ${whole(Math.max(m, 1 - m))}.`),
  ];

  function answered(answers) {
    const { name } = networks[state.network];
    const shares = probabilities(answers[name]);
    const others = probabilities(answers[networks[1 - state.network].name]);
    const [m, ...ages] = shares;
    const winner = best(ages);
    rows.forEach(({ words, bar, other, shown, name: node }, place) => {
      bar.style.width = `${100 * shares[place]}%`;
      other.style.left = `${100 * others[place]}%`;
      shown.textContent = whole(shares[place]);
      const rendered = state.truth?.group === words;
      node.className = rendered ? "play-true" : "";
      node.textContent = rendered ? `${words} ●` : words;
    });
    truth.textContent = state.truth ? `● Rendered with: ${state.truth.words}.` : "Your picture: the page knows nothing about it.";
    const confidence = ages[winner];
    if (confidence < state.threshold) {
      verdict.textContent = `The network does not answer: its most likely group has only ${whole(confidence)}.`;
    } else {
      verdict.replaceChildren("The network answers: ", ...said(shares));
    }
    elsewhere.replaceChildren("The other one: ", ...said(others));
    times.push(answers[name].milliseconds);
    const last = times.slice(-20).sort((one, two) => one - two);
    speed.textContent = `${last[Math.floor(last.length / 2)].toFixed(0)} milliseconds`;
    say(`${verdict.textContent} ${truth.textContent}`);
  }

  const covered = () => cover(state.picture, state.covered);
  const taken = () => prepared(covered(), SIDE, state.broken);

  // Only the latest question counts: while one is answered, those that come are not lined up.
  let busy = false;
  let again = false;
  let latest = null;
  async function refresh() {
    forgetMap();
    draw(face.context, covered());
    face.canvas.setAttribute("aria-label", label());
    const picture = taken();
    draw(input.context, seen(picture));
    face.canvas.dataset.asked = ""; // until the answer is there
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      latest = await ask(picture);
      answered(latest);
    } finally {
      busy = false;
    }
    if (again) {
      again = false;
      await refresh();
    } else delete face.canvas.dataset.asked;
  }
  const label = () => {
    const number = state.covered.length;
    const what = state.own ? "Your picture" : `Rendered head ${state.head + 1}: ${state.truth.words}`;
    const squares = number === 1 ? "1 square" : `${number} squares`;
    return `${what}${number ? `, ${squares} covered` : ""}. Arrow keys move a square, space covers what is in it`;
  };

  // ---- Causes -------------------------------------------------------------------------------------------------------------

  const atStart = (cause) => data.heads[state.head].start[cause.name];
  async function rendered(cause, place) {
    turn += 1;
    const mine = turn;
    face.canvas.dataset.asked = "";
    const value = cause.values[place];
    const picture = await pictureOf(state.head * data.perHead + value.picture);
    if (mine !== turn) return; // moved on in the meantime
    state.own = false;
    const words = cause.name === "age" ? value.words : `${data.years} years, ${cause.name}: ${value.words}`;
    state.truth = { words, group: groups[value.group ?? data.group] };
    state.picture = picture;
    await refresh();
  }
  let turn = 0; // which picture was asked for last
  let resting = false; // whether sliders are only put back
  const controls = data.causes.map((cause) =>
    slider({
      name: cause.name,
      label: `${cause.label}:`,
      min: 0,
      max: cause.values.length - 1,
      step: 1,
      words: (place) => cause.values[place].words,
      moved: (place) => {
        if (resting) return;
        putBack(cause);
        rendered(cause, place);
      },
    }),
  );
  function putBack(butNot) {
    resting = true;
    data.causes.forEach((cause, number) => {
      if (cause !== butNot) controls[number].set(atStart(cause));
    });
    resting = false;
  }
  function chooseHead(number) {
    state.head = number;
    putBack();
    return rendered(data.causes[0], atStart(data.causes[0]));
  }
  const heads = slider({
    name: "head",
    label: "Head:",
    min: 0,
    max: data.heads.length - 1,
    step: 1,
    words: (place) => `${place + 1} of ${data.heads.length}`,
    moved: chooseHead,
  });

  // ---- Covering -----------------------------------------------------------------------------------------------------------

  const STEP = BRUSH / 2;
  let at = [SIZE / 2 - STEP, SIZE / 2 - STEP];
  const sameAs = ([left, top]) => ([x, y]) => x === left && y === top;
  function coverAt([left, top]) {
    if (!state.covered.some(sameAs([left, top]))) state.covered.push([left, top, BRUSH]);
  }
  function showCursor() {
    cursor.hidden = false;
    cursor.style.left = `${(100 * at[0]) / SIZE}%`;
    cursor.style.top = `${(100 * at[1]) / SIZE}%`;
  }
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  face.canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move) {
      at = at.map((place, axis) => Math.min(Math.max(place + STEP * move[axis], 0), SIZE - BRUSH));
      showCursor();
      const [column, row] = at.map((place) => place / STEP + 1);
      say(`Square ${column} from the left, ${row} from the top${state.covered.some(sameAs(at)) ? ", covered" : ""}`);
    } else if (event.key === " ") {
      const here = state.covered.findIndex(sameAs(at));
      if (here >= 0) state.covered.splice(here, 1);
      else coverAt(at);
      refresh();
    } else return;
    event.preventDefault();
  });
  face.canvas.addEventListener("focus", showCursor);
  face.canvas.addEventListener("blur", () => (cursor.hidden = true));
  const paint = (event) => {
    const box = face.canvas.getBoundingClientRect();
    const place = (offset, size) => {
      const nearest = STEP * Math.round((SIZE * offset) / size / STEP - 1);
      return Math.min(Math.max(nearest, 0), SIZE - BRUSH);
    };
    coverAt([place(event.clientX - box.left, box.width), place(event.clientY - box.top, box.height)]);
    refresh();
  };
  face.canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    face.canvas.setPointerCapture(event.pointerId);
    paint(event);
  });
  face.canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) paint(event);
  });
  const button = (words, act) => {
    const node = element("button", { type: "button" }, words);
    node.addEventListener("click", act);
    return node;
  };
  const MAPPED = 12; // pixels of the square of an occlusion map: what the network gets has 8 of it
  async function occlusionMap() {
    forgetMap();
    const mine = mapping;
    const { name } = networks[state.network];
    const ages = async (picture) => {
      const answers = await ask(prepared(picture, SIDE, state.broken));
      return softmax(answers[name].logits, state.temperature);
    };
    const uncovered = await ages(covered());
    const winner = best(uncovered);
    const places = squares(SIZE, MAPPED);
    const falls = [];
    for (const square of places) {
      const found = await ages(cover(covered(), [square]));
      if (mine !== mapping) return;
      falls.push(uncovered[winner] - found[winner]);
      progress.textContent = ` ${falls.length} of ${places.length}`;
    }
    const most = Math.max(...falls.map(Math.abs));
    map.replaceChildren(
      ...falls.map((fall) => {
        const cell = element("span", { "data-fall": fall.toFixed(4), class: fall > 0 ? "play-for" : "play-against" });
        cell.style.opacity = most > 0 ? (0.75 * Math.abs(fall)) / most : 0;
        if (Math.abs(fall) > most / 2) cell.textContent = fall > 0 ? "+" : "−";
        return cell;
      }),
    );
    map.hidden = false;
    const greatest = Math.max(...falls);
    const [left, top] = places[falls.indexOf(greatest)];
    const third = (place, names) => names[Math.floor((3 * (place + MAPPED / 2)) / SIZE)];
    const where = `${third(top, ["top", "middle", "bottom"])} ${third(left, ["left", "middle", "right"])}`;
    progress.textContent =
      greatest > 0
        ? ` Covering a square in the ${where} takes the most from ${groups[winner]}: ${(100 * greatest).toFixed(0)} points.`
        : ` No square takes anything from ${groups[winner]}.`;
    say(progress.textContent);
  }
  const uncover = () => {
    state.covered = [];
    refresh();
  };

  // ---- The pixel contract -------------------------------------------------------------------------------------------------

  const BREAKS = [
    ["swapped", "red and blue swapped"],
    ["scaledTwice", "divided by 255 twice"],
    ["squeezed", "a crop of 7 to 10 squeezed into the square"],
    ["shifted", "the crop shifted, to the right and down"],
  ];
  const switches = BREAKS.map(([name, words]) => {
    const box = element("input", { type: "checkbox", id: `play-${name}` });
    box.addEventListener("change", () => {
      state.broken[name] = box.checked;
      refresh();
    });
    return element("label", {}, box, ` ${words}`);
  });

  // ---- How sure -----------------------------------------------------------------------------------------------------------

  const which = choice({
    name: "play-network",
    label: "Network",
    options: networks.map(({ words }) => words),
    chosen: (place) => {
      state.network = place;
      forgetMap();
      tellShare();
      if (latest) answered(latest);
    },
  });
  const temperature = slider({
    name: "temperature",
    label: "Temperature of the age groups:",
    min: -40,
    max: 40,
    step: 1,
    words: (step) => (2 ** (step / 20)).toFixed(2), // evenly spaced in its logarithm
    moved: (step) => {
      state.temperature = 2 ** (step / 20);
      forgetMap();
      if (latest) answered(latest);
    },
  });
  const shareLine = changing("answered", "p");
  function tellShare() {
    const { answered: each, right, temperature: fitted } = networks[state.network];
    const place = Math.round(100 * state.threshold);
    shareLine.textContent =
      `On the test fold, at the fitted temperature (${fitted.toFixed(2)}), this network answers for ` +
      `${each[place].toLocaleString("en")} of ${each[0].toLocaleString("en")} faces, and is right about ` +
      `${right[place].toLocaleString("en")} of those.`;
  }
  const threshold = slider({
    name: "threshold",
    label: "It does not answer below a confidence of",
    min: 0,
    max: 99,
    step: 1,
    words: (percent) => `${percent} %`,
    moved: (percent) => {
      state.threshold = percent / 100;
      tellShare();
      if (latest) answered(latest);
    },
  });

  // ---- The reader's own photograph ----------------------------------------------------------------------------------------

  function ownPhotograph() {
    const LARGEST = 640; // pixels of the longer side that are kept
    const preview = element("canvas", { class: "play-photo", role: "img", "aria-label": "Your photograph with the square that is cut out" });
    const context = preview.getContext("2d", { willReadFrequently: true });
    const file = element("input", { type: "file", accept: "image/*", id: "play-file" });
    const problem = element("p", { role: "alert" });
    const place = { across: 50, down: 50, size: 60 }; // per cent
    let photo = null;
    const square = () => {
      const side = Math.max(1, Math.round((Math.min(photo.width, photo.height) * place.size) / 100));
      const corner = (room, percent) => Math.round(((room - side) * percent) / 100);
      return [corner(photo.width, place.across), corner(photo.height, place.down), side];
    };
    function crop() {
      if (!photo) return;
      const [left, top, side] = square();
      context.fillStyle = "#fff"; // below what is transparent
      context.fillRect(0, 0, photo.width, photo.height);
      context.drawImage(photo, 0, 0);
      state.picture = resize(bare(context.getImageData(left, top, side, side)), SIZE);
      context.lineWidth = Math.max(preview.width / 100, 2);
      context.strokeStyle = "#fff";
      context.strokeRect(left, top, side, side);
      context.setLineDash([8, 8]);
      context.strokeStyle = "#000";
      context.strokeRect(left, top, side, side);
      context.setLineDash([]);
      turn += 1;
      state.own = true;
      state.truth = null;
      refresh();
    }
    file.addEventListener("change", async () => {
      problem.textContent = "";
      if (!file.files[0]) return;
      try {
        const bitmap = await createImageBitmap(file.files[0]);
        const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
        preview.width = Math.max(1, Math.round(scale * bitmap.width));
        preview.height = Math.max(1, Math.round(scale * bitmap.height));
        photo = await createImageBitmap(bitmap, { resizeWidth: preview.width, resizeHeight: preview.height, resizeQuality: "high" });
        crop();
      } catch {
        problem.textContent = "This browser cannot read that file as a picture. Choose a JPEG or a PNG.";
      }
    });
    const part = (name, words) =>
      slider({
        name: `crop-${name}`,
        label: words,
        min: name === "size" ? 10 : 0,
        max: 100,
        step: 1,
        words: (percent) => `${Math.round(percent)} %`,
        moved: (percent) => {
          place[name] = percent;
          crop();
        },
      });
    const parts = [part("size", "Size of the square:"), part("across", "From left to right:"), part("down", "From top to bottom:")];
    parts.forEach((one, number) => one.set([60, 50, 50][number]));
    let grip = null;
    const drag = (event) => {
      if (!photo || !grip) return;
      const box = preview.getBoundingClientRect();
      const [, , side] = square();
      const scale = photo.width / box.width;
      const percent = (moved, room, from) => Math.min(Math.max(from + (100 * moved * scale) / Math.max(room - side, 1), 0), 100);
      parts[1].set(percent(event.clientX - grip.x, photo.width, grip.across));
      parts[2].set(percent(event.clientY - grip.y, photo.height, grip.down));
    };
    preview.addEventListener("pointerdown", (event) => {
      preview.setPointerCapture(event.pointerId);
      grip = { x: event.clientX, y: event.clientY, ...place };
    });
    preview.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) preview.addEventListener(end, () => (grip = null));
    return element(
      "details",
      { class: "play-own" },
      element("summary", {}, "Try a picture of your own"),
      hint(
        "The answer is not your age and not your gender. It is what a small network, trained on rendered faces and their labels, finds " +
          "most like your pixels; about photographs it is mostly wrong, and it was tested on none. Do not use it to judge anybody. " +
          "The picture stays in the memory of this page: nothing is sent, nothing is kept, and closing the page forgets it.",
      ),
      element("label", { for: "play-file" }, "A picture from this computer: "),
      file,
      problem,
      preview,
      hint("Put the square as tightly around the face as the rendered heads have it: from the chin to above the forehead."),
      ...parts.map(({ node }) => node),
      element("div", { class: "try-jumps" }, button("Back to the rendered heads", () => heads.set(state.head))),
    );
  }

  // ---- The page -----------------------------------------------------------------------------------------------------------

  const lesson = (file) => `../notebooks/${file}.html`;
  const look = element("div", {}, element("div", { class: "play-frame" }, face.canvas, map, cursor), truth);
  const answers = element(
    "div",
    {},
    element("p", { class: "try-title" }, "What the network answers"),
    element("div", { class: "try-answers" }, ...rows.map(meter)),
    hint("Bars: this network. Upright lines: the other one."),
    element("div", { class: "play-says" }, verdict, elsewhere),
  );
  const two = group("Two networks", which);
  const causes = group(
    "Change one cause",
    hint(
      "Predict first: which of these causes moves the age most, beside the age itself? One cause moves at a time; the others go back. ",
      link("Lesson 7.2", lesson("07_2_counterfactuals")),
      " does this with 200 heads.",
    ),
    element("div", { class: "play-sliders" }, heads.node, ...controls.map(({ node }) => node)),
  );
  const covering = group(
    "Cover a part",
    hint(
      "Predict first: which square, once covered, changes the age group? Draw on the face; or move to it with the Tab key, then use the arrow keys and space. ",
      link("Lesson 7.1", lesson("07_1_maps")),
      " asks how far such a map can be believed.",
    ),
    element("div", { class: "try-jumps" }, button("Uncover all", uncover), button("Occlusion map", occlusionMap)),
    element("p", {}, progress),
    hint("On the map, orange and +: covered, the group becomes less likely. Purple and −: more likely. The stronger, the more."),
  );
  const contract = group(
    "Break the pixel contract",
    hint(
      "Predict first: which of these changes the answer, and which does the network not even notice? ",
      link("Lesson 2.2", lesson("02_2_break_the_contract")),
      " finds two of them, and two more, in public code.",
    ),
    element("div", { class: "play-switches", role: "group", "aria-label": "Breaks of the pixel contract" }, ...switches),
    element("div", { class: "play-gets" }, input.canvas, hint(`What the network gets: ${SIDE} × ${SIDE} pixels. Its answer takes `, speed, " in this browser.")),
  );
  const sure = group(
    "How sure must it be?",
    hint(
      "Predict first: can a temperature change which group is the most likely? ",
      link("Lesson 6.3", lesson("06_3_is_it_as_sure_as_it_should_be")),
      " fits one, and lets a network abstain.",
    ),
    temperature.node,
    element(
      "div",
      { class: "try-jumps" },
      button("1, as trained", () => temperature.set(0)),
      button("fitted on the validation albums", () => temperature.set(20 * Math.log2(networks[state.network].temperature))),
    ),
    threshold.node,
    shareLine,
  );
  threshold.set(0);
  temperature.set(0);
  heads.set(0);
  show(
    element("div", { class: "play" }, look, answers),
    causes,
    covering,
    contract,
    two,
    sure,
    ownPhotograph(),
  );
})();
