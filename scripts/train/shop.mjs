// Trains examples/shop/models/accept.onnx: node scripts/train/shop.mjs [--rows N] [--seed N] [--out FILE]
import { trainingCommand } from './run.mjs';
import { shoppers } from './shoppers.mjs';

trainingCommand({ script: 'scripts/train/shop.mjs', example: 'shop', model: 'accept', visits: shoppers });
