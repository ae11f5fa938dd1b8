// Trains examples/travel/models/accept.onnx: node scripts/train/travel.mjs [--rows N] [--seed N] [--out FILE]
import { trainingCommand } from './run.mjs';
import { travellers } from './travellers.mjs';

trainingCommand({
  script: 'scripts/train/travel.mjs',
  example: 'travel',
  model: 'accept',
  visits: travellers,
});
