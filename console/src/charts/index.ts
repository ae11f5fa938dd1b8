export * from './scale.ts';
export * from './TimeChart.tsx';
