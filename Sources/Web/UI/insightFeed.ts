import { useEffect, useSyncExternalStore } from 'react';
import * as api from './api.ts';

// What the watch says, for every part of the page that shows it: the open incidents, asked for every half a minute,
// and while somebody looks at incidents also whenever the server says that something changed.

const POLL = 30_000;

interface Feed {
  /** Open by what the records say; whatever people said of them. */
  open: readonly api.Incident[];
  /** Counts what may have changed: whoever shows more than `open` asks again. */
  generation: number;
  /** Whether changes arrive by themselves. */
  connected: boolean;
}

let feed: Feed = { open: [], generation: 0, connected: false };
const watchers = new Set<() => void>();
let followers = 0;
let timer: ReturnType<typeof setInterval> | undefined;
let asking: AbortController | null = null;
let following: AbortController | null = null;

/** Still going on, and nobody has said a word about it. */
export const isPressing = (incident: api.Incident): boolean => incident.state === 'open' && incident.status === 'open';

function set(change: Partial<Feed>): void {
  feed = { ...feed, ...change };
  watchers.forEach((each) => each());
}

/** Asks for the open incidents, and tells everybody to look again. */
export async function refreshInsights(): Promise<void> {
  asking?.abort();
  const abort = asking = new AbortController();
  try {
    const open = await api.incidents(null, true, 100, abort.signal);
    if (!abort.signal.aborted) set({ open, generation: feed.generation + 1 });
  } catch {
    // The next round asks again; the page's own requests say what is wrong.
  }
}

async function follow(abort: AbortController): Promise<void> {
  while (!abort.signal.aborted) {
    let pause = 5;
    try {
      let due: ReturnType<typeof setTimeout> | undefined;
      for await (const event of api.followInsights(abort.signal)) {
        if (event === 'open') set({ connected: true });
        else {
          // One look tells of several at once.
          clearTimeout(due);
          due = setTimeout(refreshInsights, 300);
        }
      }
    } catch (error) {
      // A connection that broke comes back; a refusal is not pressed. Asking every half a minute goes on meanwhile.
      if (error instanceof api.Problem && error.status >= 400) pause = Math.max(60, error.retryAfter ?? 0);
    }
    if (abort.signal.aborted) return;
    set({ connected: false });
    await new Promise((resume) => setTimeout(resume, pause * 1000));
  }
}

/** A tab in the background holds no connection: browsers allow only a few to one server. */
function adjust(): void {
  const visible = document.visibilityState === 'visible';
  const wanted = visible && followers > 0;
  if (wanted && !following) {
    following = new AbortController();
    follow(following);
  } else if (!wanted && following) {
    following.abort();
    following = null;
    if (feed.connected) set({ connected: false });
  }
  if (visible && watchers.size > 0 && timer === undefined) {
    timer = setInterval(refreshInsights, POLL);
    refreshInsights();
  } else if ((!visible || watchers.size === 0) && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}
document.addEventListener('visibilitychange', adjust);

const subscribe = (watcher: () => void): () => void => {
  watchers.add(watcher);
  adjust();
  return () => {
    watchers.delete(watcher);
    adjust();
  };
};

export const useInsightFeed = (): Feed => useSyncExternalStore(subscribe, () => feed);

export const useOpenIncidents = (): readonly api.Incident[] => useInsightFeed().open;

/** Follows the server's events while the page is up, and calls `reload` when something changed. */
export function useLiveInsights(reload: () => void): boolean {
  const { generation, connected } = useInsightFeed();
  useEffect(() => {
    followers++;
    adjust();
    return () => {
      followers--;
      adjust();
    };
  }, []);
  useEffect(() => {
    if (generation > 0) reload();
    // Only a new generation is a reason.
  }, [generation]);
  return connected;
}
