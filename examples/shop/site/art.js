/** The products as drawings, 200 x 160, in the page's own colours. */
const ink = '#20342b';
const moss = '#4f7f5f';
const pine = '#2f6b4f';
const sand = '#e2b96f';
const rust = '#c2643c';
const snow = '#f7f3e8';
const sky = '#8fb7c4';

const drawings = {
  trail: [
    '#dfe9dc',
    `<path d="M30 108c0-14 4-34 10-38 8 8 20 8 28 0l34 26c14 8 40 8 58 18 8 4 10 12 8 18H34c-4-6-4-14-4-24z" fill="${rust}"/>
     <path d="M30 120h142c2 8-2 15-8 15H40c-8 0-10-8-10-15z" fill="${snow}"/>
     <path d="M34 134h128" stroke="${ink}" stroke-width="7" stroke-dasharray="10 5"/>
     <path d="M80 80l-12 12M92 89l-12 12M104 97l-12 11" stroke="${snow}" stroke-width="5" stroke-linecap="round"/>
     <path d="M40 70c8 8 20 8 28 0l6 5c-8 14-28 16-36 6z" fill="${ink}" opacity=".35"/>`,
  ],
  boot: [
    '#ece2d3',
    `<path d="M52 30h48v44c10 18 46 16 62 28 8 6 8 16 6 24H52c-6-30-4-66 0-96z" fill="#8a5a3a"/>
     <path d="M48 122h122v8c0 6-4 10-10 10H58c-8 0-10-8-10-18z" fill="${ink}"/>
     <path d="M52 30h48v12H51z" fill="#6d4329"/>
     <path d="M76 56h24M76 68h26M80 80h28M90 91h26" stroke="${sand}" stroke-width="5" stroke-linecap="round"/>
     <path d="M120 96c14 4 30 4 42 10" stroke="#6d4329" stroke-width="3" fill="none"/>`,
  ],
  sandal: [
    '#dceaf0',
    `<path d="M28 118c30-16 100-16 140-4 8 4 8 16-2 18H36c-10 0-12-10-8-14z" fill="${ink}"/>
     <path d="M30 116c30-14 98-14 136-2" stroke="${sand}" stroke-width="8" fill="none" stroke-linecap="round"/>
     <path d="M112 112c4-24 24-28 36-2" stroke="${pine}" stroke-width="13" fill="none"/>
     <path d="M44 112c-2-34 30-44 44-2" stroke="${pine}" stroke-width="13" fill="none"/>
     <path d="M66 84c26 0 44 6 62 12" stroke="${pine}" stroke-width="10" fill="none"/>`,
  ],
  jacket: [
    '#e9e4f0',
    `<path d="M78 34c10-10 34-10 44 0l30 18 16 70-22 6-12-40v54H66V88l-12 40-22-6 16-70z" fill="#5a6fa8"/>
     <path d="M78 34c4 20 40 20 44 0-4-18-40-18-44 0z" fill="#43558a"/>
     <path d="M100 48v94" stroke="${snow}" stroke-width="3" stroke-dasharray="4 3"/>
     <path d="M74 104h18M108 104h18" stroke="${snow}" stroke-width="4" stroke-linecap="round"/>
     <path d="M66 128h68v14H66z" fill="#43558a"/>`,
  ],
  fleece: [
    '#f0e6d6',
    `<path d="M80 32h40l32 18 14 72-22 6-10-38v52H66V90l-10 38-22-6 14-72z" fill="${sand}"/>
     <path d="M80 32h40v16H80z" fill="${rust}"/>
     <path d="M100 48v38" stroke="${ink}" stroke-width="4"/>
     <path d="M108 62h22v20h-22z" fill="${rust}"/>
     <path d="M66 132h68v10H66z" fill="${rust}"/>`,
  ],
  beanie: [
    '#dfe9dc',
    `<path d="M46 104c0-44 24-66 54-66s54 22 54 66z" fill="${moss}"/>
     <path d="M64 102c0-34 12-56 20-62M100 38v64M136 102c0-34-12-56-20-62" stroke="${pine}" stroke-width="4" fill="none"/>
     <rect x="38" y="98" width="124" height="30" rx="12" fill="${pine}"/>
     <path d="M54 98v30M70 98v30M86 98v30M102 98v30M118 98v30M134 98v30M150 98v30" stroke="${moss}" stroke-width="3"/>
     <circle cx="100" cy="34" r="14" fill="${snow}"/>`,
  ],
  socks: [
    '#f3dfd4',
    `<path d="M54 28h32v58l-4 16-22 30c-8 8-26 6-30-6-2-8 2-14 8-18l16-16z" fill="${snow}"/>
     <path d="M54 28h32v16H54zM54 52h32v8H54z" fill="${rust}"/>
     <path d="M30 118c0 16 18 20 30 12l8-10c-8-12-24-16-32-10-4 2-6 5-6 8z" fill="${rust}"/>
     <path d="M116 28h32v58l-4 16-22 30c-8 8-26 6-30-6-2-8 2-14 8-18l16-16z" fill="${snow}"/>
     <path d="M116 28h32v16h-32zM116 52h32v8h-32z" fill="${pine}"/>
     <path d="M92 118c0 16 18 20 30 12l8-10c-8-12-24-16-32-10-4 2-6 5-6 8z" fill="${pine}"/>`,
  ],
  pack: [
    '#dceaf0',
    `<path d="M80 34c0-16 40-16 40 0" stroke="${ink}" stroke-width="6" fill="none"/>
     <rect x="56" y="34" width="88" height="108" rx="26" fill="${pine}"/>
     <path d="M56 66c0-22 12-32 26-32h36c14 0 26 10 26 32-20 12-68 12-88 0z" fill="${moss}"/>
     <rect x="70" y="92" width="60" height="38" rx="10" fill="${moss}"/>
     <path d="M70 104h60" stroke="${ink}" stroke-width="3"/>
     <path d="M84 70v20M116 70v20" stroke="${sand}" stroke-width="6"/>
     <path d="M46 84v40M154 84v40" stroke="${ink}" stroke-width="6" stroke-linecap="round"/>`,
  ],
  duffel: [
    '#ece2d3',
    `<rect x="28" y="62" width="144" height="70" rx="30" fill="#7a8f6a"/>
     <path d="M66 62c0-34 68-34 68 0" stroke="#6d4329" stroke-width="8" fill="none"/>
     <path d="M66 62v70M134 62v70" stroke="#6d4329" stroke-width="8"/>
     <path d="M44 76h112" stroke="${snow}" stroke-width="3" stroke-dasharray="5 3"/>
     <rect x="82" y="90" width="36" height="24" rx="5" fill="${sand}"/>`,
  ],
  tent: [
    '#e4ead9',
    `<circle cx="160" cy="34" r="14" fill="${sand}"/>
     <path d="M20 132 66 92l26 22 40-46 50 64z" fill="${sky}" opacity=".6"/>
     <path d="M100 40 34 132h132z" fill="${rust}"/>
     <path d="M100 40 78 132h44z" fill="${ink}"/>
     <path d="M100 40 78 132l-20 0z" fill="${snow}" opacity=".7"/>
     <path d="M20 132h160" stroke="${pine}" stroke-width="6" stroke-linecap="round"/>`,
  ],
  lamp: [
    '#e9e4f0',
    `<path d="M32 84c20-34 116-34 136 0" stroke="${ink}" stroke-width="14" fill="none"/>
     <path d="M32 84c20-34 116-34 136 0" stroke="${rust}" stroke-width="4" fill="none" stroke-dasharray="12 8"/>
     <rect x="72" y="52" width="56" height="46" rx="12" fill="${ink}"/>
     <circle cx="100" cy="75" r="15" fill="${snow}"/><circle cx="100" cy="75" r="8" fill="${sand}"/>
     <path d="M86 104l-18 36h64l-18-36z" fill="${sand}" opacity=".5"/>`,
  ],
  bottle: [
    '#f0e6d6',
    `<rect x="78" y="46" width="44" height="98" rx="14" fill="#3f7f8f"/>
     <rect x="86" y="22" width="28" height="20" rx="5" fill="${ink}"/>
     <path d="M84 42h32v8H84z" fill="${snow}"/>
     <path d="M78 84h44v26H78z" fill="${snow}" opacity=".85"/>
     <path d="M100 86 90 104h20z" fill="${pine}"/>
     <path d="M90 60v16" stroke="${snow}" stroke-width="4" stroke-linecap="round" opacity=".7"/>`,
  ],
};

export function art(name) {
  const [ground, shapes] = drawings[name];
  return `<svg viewBox="0 0 200 160" aria-hidden="true"><rect width="200" height="160" fill="${ground}"/><ellipse cx="100" cy="142" rx="78" ry="7" fill="#0002"/>${shapes}</svg>`;
}
