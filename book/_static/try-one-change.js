// The front page: change one cause of a rendered head, and see what a network answers.
"use strict";

(() => {
  const { data, element, changing, choice, slider, say, show } = tryIt;
  const SIZE = 192; // CSS pixels of a picture, twice its own
  const sheet = document.querySelector(".try-still img");

  // The sheet has two rows of pictures a head; one of them is shown through a window.
  const picture = element("div", { class: "try-picture", role: "img" });
  picture.style.backgroundImage = `url("${sheet.src}")`;
  picture.style.backgroundSize = `${SIZE * data.columns}px auto`;

  const length = (share) => `${(100 * share).toFixed(1)}%`; // CSS allows no space before the sign
  const bars = data.groups.map((group) => ({ group, bar: element("span", { class: "try-share" }), shown: changing(`share ${group}`) }));
  const m = { bar: element("span", { class: "try-share" }), shown: changing("m") };
  const meter = (words, { bar, shown }) =>
    element("div", { class: "try-row" }, element("span", {}, words), element("span", { class: "try-track" }, bar), shown);
  const verdict = changing("verdict", "p");

  let head = 0;
  let cause = 0;
  function move(place) {
    const { number, words, years } = data.causes[cause].values[place];
    const { m: ofM, ages } = data.heads[head][number];
    const row = 2 * head + Math.floor(number / data.columns);
    picture.style.backgroundPosition = `-${SIZE * (number % data.columns)}px -${SIZE * row}px`;
    picture.setAttribute("aria-label", `Rendered head ${head + 1}: ${words}`);
    for (const [group, { bar, shown }] of bars.entries()) {
      bar.style.width = length(ages[group]);
      shown.textContent = `${Math.round(100 * ages[group])} %`;
    }
    m.bar.style.width = length(ofM);
    m.shown.textContent = `${Math.round(100 * ofM)} %`;
    const best = ages.indexOf(Math.max(...ages));
    const group = element("span", { class: "try-word" }, `${data.groups[best]}.`);
    verdict.replaceChildren(`Rendered at ${years} years. The network's most likely age group: `, group);
    say(`${words}. ${verdict.textContent} Labelled m: ${m.shown.textContent}.`);
  }

  const control = slider({
    label: "Set it to:",
    min: 0,
    max: data.columns - 1,
    step: 1,
    words: (place) => data.causes[cause].values[place].words,
    moved: move,
  });
  const choose = (place) => {
    cause = place;
    const { values, start } = data.causes[cause];
    control.node.querySelector("input").max = values.length - 1;
    control.set(start);
  };
  const causes = choice({ name: "try-cause", label: "Change", options: data.causes.map(({ name }) => name), chosen: choose });
  const heads = choice({
    name: "try-head",
    label: "of head",
    options: data.heads.map((_, number) => `${number + 1}`),
    chosen: (place) => {
      head = place;
      choose(cause);
    },
  });
  const answers = element(
    "div",
    { class: "try-answers" },
    element("p", { class: "try-title" }, "What the network answers"),
    meter("labelled m", m),
    ...bars.map((one) => meter(one.group, one)),
  );
  const left = element("div", {}, picture, verdict);
  const right = element("div", {}, causes, heads, control.node, answers);
  choose(0);
  show(element("div", { class: "try-beside" }, left, right));
})();
