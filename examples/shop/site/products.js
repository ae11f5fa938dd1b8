export const categories = [
  { id: 'shoes', name: 'Shoes' },
  { id: 'clothing', name: 'Clothing' },
  { id: 'bags', name: 'Bags' },
  { id: 'outdoor', name: 'Outdoor' },
];

/** `goes` names what is sold with it. */
export const products = [
  product(
    'AP-101',
    'Larch Trail Shoe',
    'shoes',
    119,
    'trail',
    'AP-205',
    'Light, grippy and dry by lunch. Made for paths that were not made for shoes.',
  ),
  product(
    'AP-102',
    'Cairn Boot',
    'shoes',
    189,
    'boot',
    'AP-205',
    'Full-grain leather over a sole that can be replaced. Give it ten years.',
  ),
  product(
    'AP-103',
    'Creek Sandal',
    'shoes',
    69,
    'sandal',
    'AP-302',
    'Three straps, one river. The footbed keeps its shape when it gets wet.',
  ),
  product(
    'AP-201',
    'Drizzle Jacket',
    'clothing',
    149,
    'jacket',
    'AP-204',
    'Three layers, taped seams, and a hood that turns its head with you.',
  ),
  product(
    'AP-202',
    'Heath Fleece',
    'clothing',
    79,
    'fleece',
    'AP-201',
    'Recycled, brushed inside, and warmer than it looks on the shelf.',
  ),
  product(
    'AP-204',
    'Moss Beanie',
    'clothing',
    24,
    'beanie',
    'AP-202',
    'Merino, double-knit. Fits under a helmet and under a hood.',
  ),
  product(
    'AP-205',
    'Wool Walkers',
    'clothing',
    14,
    'socks',
    'AP-101',
    'Two pairs of merino socks with a cushioned heel.',
  ),
  product(
    'AP-301',
    'Fell Daypack 22',
    'bags',
    95,
    'pack',
    'AP-403',
    'Twenty-two litres, one lid, no straps that flap.',
  ),
  product(
    'AP-302',
    'Harbour Duffel',
    'bags',
    129,
    'duffel',
    'AP-403',
    'Waxed canvas with carry straps that become shoulder straps.',
  ),
  product(
    'AP-401',
    'Hollow Tent 2',
    'outdoor',
    329,
    'tent',
    'AP-402',
    'Two people, two doors, two kilograms. Up in four minutes.',
  ),
  product(
    'AP-402',
    'Glow Headlamp',
    'outdoor',
    39,
    'lamp',
    'AP-403',
    '350 lumens, a red mode for the tent, and it charges from anything.',
  ),
  product(
    'AP-403',
    'Spring Bottle',
    'outdoor',
    19,
    'bottle',
    'AP-301',
    'Steel, 0.7 litres. Keeps tea hot until the summit.',
  ),
];

export const productOf = (sku) => products.find((each) => each.sku === sku);

/** Products that have every word of the query in name, category or text. */
export function find(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return products.filter(({ name, category, text }) => {
    const all = `${name} ${category} ${text}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

function product(sku, name, category, cost, art, goes, text) {
  return { sku, name, category, price: cost, art, goes, text };
}
