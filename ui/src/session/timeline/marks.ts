// Requests → lines of a picture: one path per outcome, however many requests there are.
import type { Exchange } from "../../api/schema";
import { outcome, type Outcome } from "../../words/sequence";
import { micros } from "../../words/time";

export interface Mark {
  x: number;
  /** Pixels above the lane's line. */
  high: number;
  outcome: Outcome;
  request: Exchange;
}

const HIGH_PX_MIN = 7;
/** 1 ms and 10 s, as powers of ten of microseconds. */
const SHORT = 3;
const LONG = 7;

/** Height by duration: ten times longer is one step higher. */
export function height(durationUs: number, most: number): number {
  const power = Math.log10(Math.max(1, durationUs));
  const share = Math.min(1, Math.max(0, (power - SHORT) / (LONG - SHORT)));
  return HIGH_PX_MIN + share * (most - HIGH_PX_MIN);
}

/** The marks of a lane, in order of time. */
export function marks(requests: Exchange[], x: (at: number) => number, most: number): Mark[] {
  return requests.map((request) => ({
    x: x(micros(request.start) / 1000),
    high: height(request.duration_us, most),
    outcome: outcome(request.status),
    request,
  }));
}

/** Lines from the lane's line at `y`; of those on one pixel the highest. Errors end in a dot. */
export function path(marks: Mark[], wanted: Outcome, y: number): string {
  const highest = new Map<number, number>();
  for (const { x, high, outcome } of marks) {
    if (outcome !== wanted) continue;
    const pixel = Math.round(x * 2) / 2;
    highest.set(pixel, Math.max(highest.get(pixel) ?? 0, high));
  }
  const dot = wanted === "ok" ? "" : "m-2,0a2,2 0 1 0 4,0a2,2 0 1 0 -4,0";
  return [...highest].map(([x, high]) => `M${x},${y}v${-high.toFixed(1)}${dot}`).join("");
}

/** The mark closest to a pixel; binary search, marks are in order. */
export function nearest(marks: Mark[], x: number): Mark | null {
  let low = 0;
  let high = marks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.x ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const after = marks[low];
  const before = marks[low - 1];
  if (!after || !before) return after ?? before ?? null;
  return x - before.x < after.x - x ? before : after;
}
