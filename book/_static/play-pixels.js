// What happens to a picture before the network sees it (lesson 2.1), and how that goes wrong (lesson 2.2). A picture is
// { width, height, values }: red, green and blue of a place side by side, from 0 to 255. Node runs it for the tests.
"use strict";

function pixels() {
  // A part of a picture; beyond the edge, its last pixels repeat.
  function cut({ width, height, values }, [left, top, wide, high]) {
    const part = new Float32Array(wide * high * 3);
    const inside = (place, size) => Math.min(Math.max(place, 0), size - 1);
    for (let y = 0; y < high; y += 1) {
      for (let x = 0; x < wide; x += 1) {
        const from = 3 * (inside(top + y, height) * width + inside(left + x, width));
        part.set(values.subarray(from, from + 3), 3 * (y * wide + x));
      }
    }
    return { width: wide, height: high, values: part };
  }

  // Which old places make a new one, and how much each counts: the nearer, the more, so that no pixel is passed over.
  function shares(size, side) {
    const scale = size / side;
    const reach = Math.max(scale, 1);
    return Array.from({ length: side }, (_, place) => {
      const middle = (place + 0.5) * scale;
      const first = Math.max(Math.ceil(middle - reach - 0.5), 0);
      const last = Math.min(Math.floor(middle + reach - 0.5), size - 1);
      const given = [];
      for (let old = first; old <= last; old += 1) given.push(Math.max(1 - Math.abs(old + 0.5 - middle) / reach, 0));
      const sum = given.reduce((total, share) => total + share, 0);
      return { first, given: given.map((share) => share / sum) };
    });
  }

  // Make a picture a square of `side` pixels, in whole numbers again.
  function resize({ width, height, values }, side) {
    const rows = new Float32Array(height * side * 3);
    const across = shares(width, side);
    for (let y = 0; y < height; y += 1) {
      across.forEach(({ first, given }, x) =>
        given.forEach((share, step) => {
          for (let colour = 0; colour < 3; colour += 1) {
            rows[3 * (y * side + x) + colour] += share * values[3 * (y * width + first + step) + colour];
          }
        }),
      );
    }
    const square = new Float32Array(side * side * 3);
    shares(height, side).forEach(({ first, given }, y) =>
      given.forEach((share, step) => {
        for (let place = 0; place < 3 * side; place += 1) {
          square[3 * y * side + place] += share * rows[3 * (first + step) * side + place];
        }
      }),
    );
    return { width: side, height: side, values: square.map(Math.round) };
  }

  const mean = ({ values }) =>
    [0, 1, 2].map((colour) => {
      let sum = 0;
      for (let place = colour; place < values.length; place += 3) sum += values[place];
      return (3 * sum) / values.length;
    });

  // The same picture with squares of its mean colour on it: [left, top, side] each.
  function cover(picture, squares) {
    const values = picture.values.slice();
    const colour = mean(picture);
    for (const [left, top, side] of squares) {
      for (let y = Math.max(top, 0); y < Math.min(top + side, picture.height); y += 1) {
        for (let x = Math.max(left, 0); x < Math.min(left + side, picture.width); x += 1) {
          values.set(colour, 3 * (y * picture.width + x));
        }
      }
    }
    return { ...picture, values };
  }

  // From a square picture to what the network takes, numbers from 0 to 1; `broken` names what goes wrong on the way.
  function prepared(picture, side, broken = {}) {
    const size = picture.width;
    const edge = Math.round(0.15 * size);
    let part = picture;
    if (broken.shifted) part = cut(part, [Math.round(size / 6), Math.round(size / 12), size, size]);
    if (broken.squeezed) part = cut(part, [edge, 0, size - 2 * edge, size]);
    const { values } = resize(part, side);
    const scaled = values.map((value) => value / (broken.scaledTwice ? 255 * 255 : 255));
    if (broken.swapped) {
      for (let place = 0; place < scaled.length; place += 3) {
        [scaled[place], scaled[place + 2]] = [scaled[place + 2], scaled[place]];
      }
    }
    return { shape: [side, side, 3], values: scaled };
  }

  // The squares of an occlusion map (lesson 7.1), row by row.
  function squares(size, side) {
    const places = Array.from({ length: Math.floor(size / side) }, (_, number) => number * side);
    return places.flatMap((top) => places.map((left) => [left, top, side]));
  }

  // What a network takes, as a picture again: numbers from 0 to 1 become 0 to 255, also where they are wrong.
  const seen = ({ shape: [height, width], values }) => ({ width, height, values: values.map((value) => 255 * value) });

  return { cut, resize, cover, prepared, squares, seen };
}

if (typeof module !== "undefined") module.exports = pixels;
