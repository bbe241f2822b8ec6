// The network of the page "Play": from pixels to answers, layer by layer as lessons 3.1 and 4.3 build them.
// A picture and every layer's output is { shape: [height, width, maps], values }, the maps of a place side by side. The
// function holds no name of the page, so that the page can send it to a worker as text; Node runs it for the tests.
"use strict";

function network() {
  // A 16-bit float: 1 bit of sign, 5 of exponent, 10 of fraction.
  function fromHalf(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  // The weights by name, from the record's list of names and shapes and one run of 16-bit numbers.
  function load(list, halves) {
    const weights = {};
    let place = 0;
    for (const [name, shape] of list) {
      const size = shape.reduce((product, side) => product * side, 1);
      weights[name] = { shape, values: Float32Array.from(halves.subarray(place, place + size), fromHalf) };
      place += size;
    }
    if (place !== halves.length) throw new Error(`${halves.length} numbers for ${place} weights`);
    return weights;
  }

  // Mean 0 and deviation 1 for the whole picture. One without contrast is divided by half a step of 8-bit pixels.
  function standardise({ shape, values }) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const deviation = Math.sqrt(variance + (0.5 / 255) ** 2);
    return { shape, values: values.map((value) => (value - mean) / deviation) };
  }

  // A convolution with "same" padding. For each place of the output it collects what the kernel covers, leaves out zeros (after
  // a ReLU, every second number), and adds each number times its row of weights, one for each map. Eight maps go together, and
  // their number is a multiple of eight in every layer: eight sums need no array, which would be read and written at each step.
  function convolution({ shape: [height, width, depth], values }, { shape: [side, , , maps], values: kernel }, stride) {
    const rows = Math.ceil(height / stride);
    const columns = Math.ceil(width / stride);
    const above = Math.max((rows - 1) * stride + side - height, 0) >> 1; // rows of padding
    const before = Math.max((columns - 1) * stride + side - width, 0) >> 1;
    const output = new Float32Array(rows * columns * maps);
    const covered = new Float32Array(side * side * depth);
    const row = new Int32Array(covered.length); // where the weights of a covered number begin
    for (let place = 0; place < rows * columns; place += 1) {
      const top = Math.floor(place / columns) * stride - above;
      const left = (place % columns) * stride - before;
      let number = 0;
      for (let y = Math.max(top, 0); y < Math.min(top + side, height); y += 1) {
        for (let x = Math.max(left, 0); x < Math.min(left + side, width); x += 1) {
          const from = (y * width + x) * depth;
          const weight = ((y - top) * side + x - left) * depth;
          for (let channel = 0; channel < depth; channel += 1) {
            if (values[from + channel] !== 0) {
              covered[number] = values[from + channel];
              row[number] = (weight + channel) * maps;
              number += 1;
            }
          }
        }
      }
      for (let map = 0; map < maps; map += 8) {
        let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
        for (let next = 0; next < number; next += 1) {
          const value = covered[next];
          const from = row[next] + map;
          a += value * kernel[from];
          b += value * kernel[from + 1];
          c += value * kernel[from + 2];
          d += value * kernel[from + 3];
          e += value * kernel[from + 4];
          f += value * kernel[from + 5];
          g += value * kernel[from + 6];
          h += value * kernel[from + 7];
        }
        output.set([a, b, c, d, e, f, g, h], place * maps + map);
      }
    }
    return { shape: [rows, columns, maps], values: output };
  }

  // Batch normalisation after training: each map times one number and plus another.
  function norm({ shape, values }, { values: scale }, { values: shift }) {
    const maps = shape[2];
    const output = new Float32Array(values.length);
    for (let place = 0; place < values.length; place += maps) {
      for (let map = 0; map < maps; map += 1) output[place + map] = values[place + map] * scale[map] + shift[map];
    }
    return { shape, values: output };
  }

  function relu({ shape, values }) {
    const output = new Float32Array(values.length);
    for (let place = 0; place < values.length; place += 1) output[place] = Math.max(values[place], 0);
    return { shape, values: output };
  }

  function add({ shape, values }, { values: others }) {
    const output = new Float32Array(values.length);
    for (let place = 0; place < values.length; place += 1) output[place] = values[place] + others[place];
    return { shape, values: output };
  }

  // The mean of each map.
  function globalPool({ shape: [height, width, maps], values }) {
    const means = new Float32Array(maps);
    values.forEach((value, place) => (means[place % maps] += value / (height * width)));
    return { shape: [maps], values: means };
  }

  function dense({ values }, kernel, bias) {
    const units = kernel.shape[1];
    return bias.values.map((start, unit) =>
      values.reduce((sum, value, place) => sum + value * kernel.values[place * units + unit], start),
    );
  }

  const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

  // Probabilities from logits; a temperature above 1 makes them more alike (lesson 6.3).
  function softmax(logits, temperature = 1) {
    const greatest = Math.max(...logits);
    const odds = Array.from(logits, (logit) => Math.exp((logit - greatest) / temperature));
    const sum = odds.reduce((total, one) => total + one, 0);
    return odds.map((one) => one / sum);
  }

  // Pass a picture through the network. Yields [name, output] after each layer, under Keras's names; so whoever has to can
  // pause between two of them. Returns the probability of m and the logits of the age groups.
  function* forward(weights, picture) {
    function* block(name, input, stride) {
      let x = convolution(input, weights[`${name}/kernel`], stride);
      yield [name, x];
      x = norm(x, weights[`${name}_norm/scale`], weights[`${name}_norm/shift`]);
      yield [`${name}_norm`, x];
      x = relu(x);
      yield [`${name}_relu`, x];
      return x;
    }
    let x = standardise(picture);
    yield ["standardise", x];
    x = yield* block("stem", x, 2);
    for (const stage of ["stage_1", "stage_2", "stage_3"]) {
      const strided = yield* block(`${stage}_strided`, x, 2);
      const residual = yield* block(`${stage}_residual`, strided, 1);
      x = add(strided, residual);
      yield [stage, x];
    }
    x = globalPool(x);
    yield ["global_pool", x];
    const gender = dense(x, weights["gender/kernel"], weights["gender/bias"]).map(sigmoid);
    yield ["gender", { shape: [1], values: gender }];
    const age = dense(x, weights["age/kernel"], weights["age/bias"]); // logits
    yield ["age", { shape: [8], values: age }];
    return { m: gender[0], logits: Array.from(age) };
  }

  // What forward returns, without a pause.
  function answer(weights, picture) {
    const layers = forward(weights, picture);
    let step = layers.next();
    while (!step.done) step = layers.next();
    return step.value;
  }

  return { load, forward, answer, softmax };
}

if (typeof module !== "undefined") module.exports = network;
