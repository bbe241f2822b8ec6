// Judges photographs with the age and gender network of @vladmandic/face-api, on the WASM backend of TensorFlow.js.
//
//   node face_api.mjs MODULES PIXELS SIDE
//
// MODULES is the folder that holds node_modules; PIXELS a file of raw RGB bytes, SIDE x SIDE x 3 a photograph, one after the
// other. Prints one JSON line a photograph: {"age": years, "male": probability}.
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, pixels, sideText] = process.argv.slice(2);
const side = Number(sideText);
const require = createRequire(path.join(path.resolve(modules), 'package.json'));

// The package was made for browsers and warns about Node's fetch; only errors are of interest here.
console.warn = () => {};
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep));
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();

const models = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
await faceapi.nets.ageGenderNet.loadFromDisk(models);

const buffer = Buffer.alloc(side * side * 3);
const file = openSync(pixels);
for (let got = readSync(file, buffer); got > 0; got = readSync(file, buffer)) {
  if (got < buffer.length) throw new Error(`${pixels}: ends within a photograph`);
  const face = tf.tensor3d(new Int32Array(buffer), [side, side, 3], 'int32');
  const { age, gender, genderProbability } = await faceapi.nets.ageGenderNet.predictAgeAndGender(face);
  face.dispose();
  console.log(JSON.stringify({ age, male: gender === 'male' ? genderProbability : 1 - genderProbability }));
}
closeSync(file);
