import { makeStore, type Store } from '../api/store.ts';
import { type ConnectionState, connect } from './connection.ts';
import { type FeedView, makeFeed } from './feed.ts';
import type { LiveFilter } from './rows.ts';

/** The page is drawn at most so often, however many messages come. */
const drawEveryMs = 250;

export interface LiveView extends FeedView {
  readonly state: ConnectionState;
}

const feed = makeFeed();
let state: ConnectionState = 'connecting';
let timer: ReturnType<typeof setTimeout> | undefined;

const view = makeStore<LiveView>({ ...feed.view(), state }, () =>
  connect(
    (message) => {
      feed.take(message);
      schedule();
    },
    (next) => {
      state = next;
      publish();
    },
  ),
);

function schedule(): void {
  timer ??= setTimeout(publish, drawEveryMs);
}

function publish(): void {
  clearTimeout(timer);
  timer = undefined;
  view.set({ ...feed.view(), state });
}

/** The one live stream of this page; connected while anybody follows it. */
export const liveStore: Store<LiveView> = view;

export function setLiveFilter(filter: LiveFilter): void {
  feed.setFilter(filter);
  publish();
}

export const pushedAt = feed.pushedAt;
