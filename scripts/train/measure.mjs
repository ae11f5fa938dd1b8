/** How good probabilities are, on rows that the model has not seen. */

/** Mean negative log likelihood in nats. */
export function logLoss(probabilities, labels) {
  let sum = 0;
  probabilities.forEach((probability, index) => {
    const p = Math.min(1 - 1e-12, Math.max(1e-12, probability));
    sum -= labels[index] === 1 ? Math.log(p) : Math.log(1 - p);
  });
  return sum / probabilities.length;
}

/** Area under the ROC curve by ranks (Mann-Whitney), ties counted half; null when only one class is there. */
export function areaUnderCurve(probabilities, labels) {
  const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[a] - probabilities[b]);
  const positives = labels.filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return null;
  let ranks = 0;
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && probabilities[order[last + 1]] === probabilities[order[first]]) last++;
    for (let i = first; i <= last; i++) if (labels[order[i]] === 1) ranks += (first + last) / 2 + 1;
    first = last + 1;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Expected calibration error over ten bins of equal size: mean |predicted - observed|. */
export function calibrationError(probabilities, labels, bins = 10) {
  const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[a] - probabilities[b]);
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    const some = order.slice(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    );
    const difference = some.reduce((sum, index) => sum + probabilities[index] - labels[index], 0);
    error += Math.abs(difference) / order.length;
  }
  return error;
}
