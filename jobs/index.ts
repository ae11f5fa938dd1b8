export { type ConnectJobs, makeDeadlines, patient } from './deadlines.ts';
export type { ReviewDesk } from './review/desk.ts';
export { type ReviewStore, reviewLimits } from './review/port.ts';
export { makeReviews, type Reviews, reviewReader } from './review/role.ts';
export { redisReviewStore } from './review/store.ts';
