// Time → pixels, with long pauses drawn short: a session is mostly silence.

/** A stretch that is drawn in proportion. Times are milliseconds since 1970. */
interface Stretch {
  from: number;
  to: number;
  left: number;
  right: number;
}
/** A pause between two stretches. */
export interface Break {
  ms: number;
  left: number;
  right: number;
}
export interface Tick {
  at: number;
  x: number;
}
export interface Scale {
  x: (at: number) => number;
  breaks: Break[];
  ticks: Tick[];
}

const BREAK_PX = 46;
const STRETCH_PX_MIN = 6;
const TICK_PX_MIN = 84;
const LABEL_PX = 52;
/** A pause is drawn short when it is this share of the whole. */
const BREAK_SHARE = 0.12;
const BREAK_MS_MIN = 3000;
const BREAKS_MAX = 8;
const TICK_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000,
  300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** A scale for `times`, which must be in order, from pixel `left` to `right`. */
export function scale(times: number[], left: number, right: number): Scale {
  const stretches = placed(split(times), left, right);
  const breaks = stretches.slice(1).map((stretch, index) => {
    const before = stretches[index] ?? stretch;
    return { ms: stretch.from - before.to, left: before.right, right: stretch.left };
  });
  const hasRoom = ({ x }: Tick) =>
    x <= right - LABEL_PX / 2 &&
    breaks.every((pause) => Math.abs((pause.left + pause.right) / 2 - x) > LABEL_PX);
  return {
    x: (at) => place(stretches, at),
    breaks,
    ticks: stretches.flatMap(ticksOf).filter(hasRoom),
  };
}

/** Where time is cut: at the longest pauses. */
function split(times: number[]): { from: number; to: number }[] {
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const least = Math.max(BREAK_MS_MIN, (last - first) * BREAK_SHARE);
  const gaps = times
    .slice(1)
    .map((to, index) => ({ from: times[index] ?? to, to }))
    .filter(({ from, to }) => to - from >= least)
    .sort((one, other) => other.to - other.from - (one.to - one.from))
    .slice(0, BREAKS_MAX)
    .sort((one, other) => one.from - other.from);
  const starts = [first, ...gaps.map(({ to }) => to)];
  const ends = [...gaps.map(({ from }) => from), last];
  return starts.map((from, index) => ({ from, to: ends[index] ?? from }));
}

function placed(parts: { from: number; to: number }[], left: number, right: number): Stretch[] {
  const room = right - left - (parts.length - 1) * BREAK_PX - parts.length * STRETCH_PX_MIN;
  const sum = parts.reduce((total, { from, to }) => total + to - from, 0);
  let at = left;
  return parts.map(({ from, to }) => {
    // One moment only stands in the middle.
    const share = sum === 0 ? 1 / parts.length : (to - from) / sum;
    const wide = STRETCH_PX_MIN + Math.max(0, room) * share;
    const stretch = { from, to, left: at, right: at + wide };
    at += wide + BREAK_PX;
    return stretch;
  });
}

function place(stretches: Stretch[], at: number): number {
  const inside = stretches.find(({ to }) => at <= to) ?? stretches.at(-1);
  if (!inside) return 0;
  const long = inside.to - inside.from;
  const share = long === 0 ? 0.5 : (at - inside.from) / long;
  return inside.left + Math.min(1, Math.max(0, share)) * (inside.right - inside.left);
}

function ticksOf(stretch: Stretch): Tick[] {
  const wide = stretch.right - stretch.left;
  const long = stretch.to - stretch.from;
  const step = TICK_MS.find((ms) => long > 0 && (ms / long) * wide >= TICK_PX_MIN);
  if (step === undefined || long === 0) {
    return [{ at: stretch.from, x: place([stretch], stretch.from) }];
  }
  const first = Math.ceil(stretch.from / step) * step;
  const many = Math.floor((stretch.to - first) / step) + 1;
  const ticks = Array.from({ length: Math.max(0, many) }, (_, index) => {
    const at = first + index * step;
    return { at, x: place([stretch], at) };
  });
  return ticks.length > 0 ? ticks : [{ at: stretch.from, x: stretch.left }];
}
