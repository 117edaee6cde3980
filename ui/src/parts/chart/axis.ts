// Where a chart's axes have their marks. Times are milliseconds since 1970.
import { day } from "../../words/time";

export interface Tick {
  x: number;
  text: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((many) => many * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((many) => many * MINUTE),
  ...[1, 2, 3, 6, 12].map((many) => many * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((many) => many * DAY),
];
const TICK_PX_MIN = 76;

/** Round local times between `from` and `to`, far enough apart to be read. */
export function timeTicks(from: number, to: number, left: number, right: number): Tick[] {
  const span = to - from;
  if (span <= 0 || right <= left) return [];
  const wanted = ((right - left) / TICK_PX_MIN) | 0;
  const step = STEPS.find((ms) => span / ms <= wanted) ?? span;
  // Days and hours begin where the reader's clock says so.
  const offset = new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const many = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length: many }, (_, index) => {
    const at = first + index * step;
    return { x: left + ((at - from) / span) * (right - left), text: label(at, step) };
  });
}

function label(at: number, step: number): string {
  const time = new Date(at);
  if (step >= DAY) return day(time.toISOString());
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = `${pad(time.getHours())}:${pad(time.getMinutes())}`;
  return step < MINUTE ? `${minutes}:${pad(time.getSeconds())}` : minutes;
}

/** The least of 1, 2, 5, 10, 20 … that is no less. */
export function niceMax(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((many) => many * power >= value) ?? 10) * power;
}
