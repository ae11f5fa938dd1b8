export { ExternalSorter, type SortLimits } from './sorter.ts';
