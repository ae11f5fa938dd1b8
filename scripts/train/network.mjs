/**
 * A network of one hidden layer: standardised inputs -> tanh units -> probability. Small enough to be scored inline,
 * and able to learn that an offer suits one visitor and not another, which a logistic regression over the same
 * columns cannot.
 */
const limit = 8;

/** Fits by Adam (Kingma & Ba 2015) on the mean log loss. `rows` are plain arrays of equal length, `labels` 0 or 1. */
export function learn(
  rows,
  labels,
  random,
  { hidden = 16, epochs = 24, batch = 128, rate = 0.004, decay = 1e-5 } = {},
) {
  const width = rows[0].length;
  const scaling = standardise(rows, width);
  const inputs = rows.map((row) => scaled(row, scaling));
  const parameters = initial(width, hidden, random);
  const gradients = parameters.map((part) => new Float64Array(part.length));
  const adam = makeAdam(parameters, decay);
  const order = inputs.map((_, index) => index);
  const steps = epochs * Math.ceil(order.length / batch);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (let first = 0; first < order.length; first += batch) {
      const some = order.slice(first, first + batch);
      for (const part of gradients) part.fill(0);
      for (const index of some) addGradient(parameters, gradients, inputs[index], labels[index], hidden);
      // The rate falls to nothing, so that the result does not hang on the last rows seen.
      adam(gradients, some.length, rate * (1 - step++ / steps));
    }
  }
  return rounded({ width, hidden, limit, ...scaling, parameters });
}

/** Probability for one row, computed as the ONNX graph computes it. */
export function predict(network, row) {
  const { hidden, parameters } = network;
  return forward(parameters, scaled(row, network), hidden, new Float64Array(hidden));
}

function standardise(rows, width) {
  const mean = new Float64Array(width);
  const inverse = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    let squares = 0;
    for (const row of rows) {
      sum += row[column];
      squares += row[column] ** 2;
    }
    mean[column] = sum / rows.length;
    const deviation = Math.sqrt(Math.max(0, squares / rows.length - mean[column] ** 2));
    inverse[column] = deviation > 1e-9 ? 1 / deviation : 0;
  }
  return { mean, inverse };
}

const scaled = (row, { mean, inverse }) =>
  Float64Array.from(row, (value, column) =>
    Math.min(limit, Math.max(-limit, (value - mean[column]) * inverse[column])),
  );

function initial(width, hidden, random) {
  const draw = (count, spread) => Float64Array.from({ length: count }, () => random.normal() * spread);
  return [
    draw(width * hidden, Math.sqrt(1 / width)),
    new Float64Array(hidden),
    draw(hidden, Math.sqrt(1 / hidden)),
    new Float64Array(1),
  ];
}

function forward([w1, b1, w2, b2], input, hidden, units) {
  let logit = b2[0];
  for (let unit = 0; unit < hidden; unit++) {
    let sum = b1[unit];
    for (let column = 0; column < input.length; column++) sum += input[column] * w1[column * hidden + unit];
    units[unit] = Math.tanh(sum);
    logit += units[unit] * w2[unit];
  }
  return 1 / (1 + Math.exp(-logit));
}

function addGradient(parameters, [g1, gb1, g2, gb2], input, label, hidden) {
  const units = new Float64Array(hidden);
  const error = forward(parameters, input, hidden, units) - label;
  const w2 = parameters[2];
  gb2[0] += error;
  for (let unit = 0; unit < hidden; unit++) {
    g2[unit] += error * units[unit];
    const back = error * w2[unit] * (1 - units[unit] ** 2);
    gb1[unit] += back;
    for (let column = 0; column < input.length; column++) g1[column * hidden + unit] += back * input[column];
  }
}

function makeAdam(parameters, decay) {
  const first = parameters.map((part) => new Float64Array(part.length));
  const second = parameters.map((part) => new Float64Array(part.length));
  let time = 0;
  return (gradients, count, rate) => {
    time++;
    const correction = Math.sqrt(1 - 0.999 ** time) / (1 - 0.9 ** time);
    parameters.forEach((part, layer) => {
      for (let i = 0; i < part.length; i++) {
        const gradient = gradients[layer][i] / count + decay * part[i];
        first[layer][i] = 0.9 * first[layer][i] + 0.1 * gradient;
        second[layer][i] = 0.999 * second[layer][i] + 0.001 * gradient ** 2;
        part[i] -= (rate * correction * first[layer][i]) / (Math.sqrt(second[layer][i]) + 1e-8);
      }
    });
  };
}

/** To float32, as the file holds them: the figures reported are those of the model that ships. */
function rounded(network) {
  const round = (part) => Float64Array.from(part, Math.fround);
  return {
    ...network,
    mean: round(network.mean),
    inverse: round(network.inverse),
    parameters: network.parameters.map(round),
  };
}
