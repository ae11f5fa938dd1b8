import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { featureAt } from './features.mjs';
import { areaUnderCurve, calibrationError, logLoss } from './measure.mjs';
import { learn, predict } from './network.mjs';
import { onnxFile } from './onnx.mjs';
import { randomFrom } from './random.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The command behind shop.mjs and travel.mjs: simulates shown offers, fits the model of an example on four fifths of
 * the visitors, measures it on the rest, and writes FILE.onnx with its manifest FILE.json beside it.
 */
export function trainingCommand(options) {
  const { script, example, model: modelName } = options;
  const out = join(root, 'examples', example, 'models', `${modelName}.onnx`);
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string', default: '60000' },
        seed: { type: 'string', default: '7' },
        out: { type: 'string', default: out },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(
        `Usage: node ${script} [--rows N] [--seed N] [--out FILE.onnx]\nTrains the model "${modelName}" of examples/${example} on simulated visitors.\n`,
      );
      return;
    }
    const rows = wholeNumber('--rows', values.rows, 200, 2_000_000);
    const seed = wholeNumber('--seed', values.seed, 0, 2 ** 31 - 1);
    if (!values.out.endsWith('.onnx'))
      throw new Error(`--out: expected a file that ends in .onnx, got ${values.out}`);
    const trained = train({ ...options, rows, seed });
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, trained.file);
    const manifest = values.out.replace(/\.onnx$/, '.json');
    writeFileSync(manifest, `${JSON.stringify(trained.manifest, null, 2)}\n`);
    const { metrics } = trained.manifest;
    process.stdout.write(
      `${relative(process.cwd(), values.out)}: ${trained.file.length} bytes; held out: AUC ${metrics.auc}, log loss ${metrics.logLoss} (rate per action alone: ${metrics.logLossOfRates}).\n`,
    );
  } catch (error) {
    process.stderr.write(`${script}: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}

/** Trains without touching a file. Returns the bytes, the manifest, the network and the held-out examples. */
export function train({ script, example, model: modelName, visits, rows, seed }) {
  const workspace = parse(readFileSync(join(root, 'examples', example, 'presage.yaml'), 'utf8'));
  const model = workspace.models[modelName];
  const examples = [];
  const random = randomFrom(seed);
  for (const visit of visits(random, workspace)) {
    // Whole visitors are held out: rows of one visitor resemble each other.
    const isHeldOut = random.chance(0.2);
    for (const shown of visit) {
      if (examples.length < rows) examples.push({ ...shown, isHeldOut, row: rowOf(model, workspace, shown) });
    }
    if (examples.length >= rows) break;
  }
  const learned = examples.filter((one) => !one.isHeldOut);
  const heldOut = examples.filter((one) => one.isHeldOut);
  const network = learn(
    learned.map((one) => one.row),
    learned.map((one) => one.accepted),
    random,
  );
  const notes = { model: modelName, version: model.version ?? '1', data: 'simulated', rows, seed };
  const file = onnxFile(network, {
    name: modelName,
    notes: { ...notes, inputs: JSON.stringify(model.inputs) },
  });
  const manifest = {
    id: modelName,
    version: notes.version,
    sha256: createHash('sha256').update(file).digest('hex'),
    data: 'Simulated visitors. The figures say how well the model learned the simulation, nothing about people.',
    madeBy: `node ${script} --rows ${rows} --seed ${seed}`,
    rows: { learned: learned.length, heldOut: heldOut.length },
    seed,
    inputs: model.inputs,
    output: 'probability',
    metrics: measure(network, learned, heldOut),
  };
  return { file, manifest, network, heldOut };
}

/** One input row, as scorers/row.ts builds it. */
function rowOf(model, workspace, { action, events, at, session }) {
  return model.inputs.map((input) => {
    if (input.startsWith('is.')) return input === `is.${action}` ? 1 : 0;
    const value = input.startsWith('action.')
      ? workspace.actions[action].attributes?.[input.slice('action.'.length)]
      : featureAt(workspace.features[input], events, at, session);
    return Math.fround(value ?? model.defaults?.[input] ?? model.missing ?? 0);
  });
}

function measure(network, learned, heldOut) {
  const labels = heldOut.map((one) => one.accepted);
  const probabilities = heldOut.map((one) => predict(network, one.row));
  const rates = rateByAction(learned);
  return {
    acceptance: figure(labels.reduce((sum, label) => sum + label, 0) / labels.length),
    logLoss: figure(logLoss(probabilities, labels)),
    logLossOfRates: figure(
      logLoss(
        heldOut.map((one) => rates.get(one.action) ?? 0.5),
        labels,
      ),
    ),
    logLossOfTruth: figure(
      logLoss(
        heldOut.map((one) => one.probability),
        labels,
      ),
    ),
    auc: figure(areaUnderCurve(probabilities, labels)),
    calibrationError: figure(calibrationError(probabilities, labels)),
  };
}

function rateByAction(examples) {
  const counts = new Map();
  for (const { action, accepted } of examples) {
    const [shown, taken] = counts.get(action) ?? [0, 0];
    counts.set(action, [shown + 1, taken + accepted]);
  }
  return new Map([...counts].map(([action, [shown, taken]]) => [action, taken / shown]));
}

const figure = (value) => (value === null ? null : Number(value.toFixed(4)));

function wholeNumber(name, text, least, most) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name}: expected a whole number from ${least} to ${most}, got ${text}`);
}
