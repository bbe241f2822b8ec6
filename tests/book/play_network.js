// For the tests: passes pictures through a network of the page "Play" and prints each layer's output.
// Arguments: play-network.js, networks.json, the network's name, its weights, a file of 64 × 64 × 3 float32 pictures, and a
// file to write to: all outputs of the first picture, then of the next, in the order of the layers, as float32.
"use strict";

const fs = require("fs");

const [script, record, name, numbers, pictures, output] = process.argv.slice(2);
const net = require(script)();
const typed = (file, kind) => {
  const { buffer, byteOffset, length } = fs.readFileSync(file);
  return new kind(buffer.slice(byteOffset, byteOffset + length));
};
const weights = net.load(JSON.parse(fs.readFileSync(record)).networks[name].weights, typed(numbers, Uint16Array));
const all = typed(pictures, Float32Array);
const size = 64 * 64 * 3;
const file = fs.openSync(output, "w");
const layers = [];
for (let start = 0; start < all.length; start += size) {
  layers.length = 0;
  for (const [layer, { values }] of net.forward(weights, { shape: [64, 64, 3], values: all.subarray(start, start + size) })) {
    layers.push([layer, values.length]);
    fs.writeSync(file, Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
}
fs.closeSync(file);
console.log(JSON.stringify(layers));
