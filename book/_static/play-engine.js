// Asks the networks of the page "Play", in a worker where the browser allows one, or else here, pausing after each layer.
"use strict";

// `networks` has for each name the list of its weights and their numbers in base64. Returns a function that passes a picture
// through all of them, and gives their answers by name and the milliseconds that each took.
function engine(networks) {
  const halves = (base64) => new Uint16Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
  const parts = Object.entries(networks).map(([name, { weights, numbers }]) => [name, weights, halves(numbers)]);

  // The worker's program: the network's functions, then these lines. Its text goes into a blob, since a page that was opened
  // from a file may not start a worker from another file.
  function work() {
    const net = network();
    let loaded = [];
    onmessage = ({ data: { load, number, picture } }) => {
      if (load) {
        loaded = load.map(([name, list, numbers]) => [name, net.load(list, numbers)]);
        return;
      }
      const answers = {};
      for (const [name, weights] of loaded) {
        const begun = performance.now();
        answers[name] = net.answer(weights, picture);
        answers[name].milliseconds = performance.now() - begun;
      }
      postMessage({ number, answers });
    };
  }

  function inWorker() {
    const program = new Blob([`"use strict";\n${network}\n(${work})();`], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(program));
    const waiting = new Map();
    worker.onmessage = ({ data: { number, answers } }) => {
      waiting.get(number).resolve(answers);
      waiting.delete(number);
    };
    // A browser may refuse a worker only after it was made; then what waits is answered here.
    worker.onerror = (event) => {
      event.preventDefault();
      ask = here();
      for (const { picture, resolve } of waiting.values()) ask(picture).then(resolve);
      waiting.clear();
    };
    worker.postMessage({ load: parts });
    let count = 0;
    return (picture) =>
      new Promise((resolve) => {
        count += 1;
        waiting.set(count, { picture, resolve });
        worker.postMessage({ number: count, picture });
      });
  }

  function here() {
    const net = network();
    const loaded = parts.map(([name, list, numbers]) => [name, net.load(list, numbers)]);
    const pause = () => new Promise((resolve) => setTimeout(resolve));
    return async (picture) => {
      const answers = {};
      for (const [name, weights] of loaded) {
        const layers = net.forward(weights, picture);
        let milliseconds = 0;
        let step = { done: false };
        while (!step.done) {
          const begun = performance.now();
          step = layers.next();
          milliseconds += performance.now() - begun;
          await pause(); // whoever moves a slider comes first
        }
        answers[name] = { ...step.value, milliseconds };
      }
      return answers;
    };
  }

  let ask;
  try {
    ask = inWorker();
  } catch {
    ask = here();
  }
  return (picture) => ask(picture);
}
