// The API runs few queries at once: what is nice to have waits its turn, so that what was asked for
// does not wait for it.

const AT_ONCE = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** Does the work when fewer than two others are under way; not at all when it was given up. */
export async function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    // Scrolled away while it waited.
    signal.throwIfAborted();
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
