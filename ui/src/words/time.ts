// Times: local on the page, UTC for whoever asks.

const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");

/** Microseconds since 1970 of an RFC 3339 time; more digits than a `Date` has. */
export function micros(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  const whole = Date.parse(time.replace(/\.\d+/, ""));
  return whole * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** `14:02:51`, with `.347` when asked for. */
export function clock(time: string, withMillis = false): string {
  const date = new Date(time);
  const text = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return withMillis ? `${text}.${pad(date.getMilliseconds(), 3)}` : text;
}

// Made once: making one takes longer than drawing a row of a table.
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_AND_YEAR = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** `24 Nov`, and the year when it is another than `now`'s. */
export function day(time: string, now: Date = new Date()): string {
  const date = new Date(time);
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

export function isToday(time: string, now: Date = new Date()): boolean {
  return new Date(time).toDateString() === now.toDateString();
}

/** For the title of a time: UTC to the microsecond. */
export function utc(time: string): string {
  return `${time.replace("T", " ").replace(/Z$|\+00:00$/, "")} UTC`;
}

/** A length, two units at most: `38 ms`, `7.2 s`, `6 m 12 s`, `3 h 20 m`, `2 d 4 h`. */
export function length(milliseconds: number): string {
  if (milliseconds < 1) return milliseconds === 0 ? "0 s" : "<1 ms";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return (
    twoUnits(whole, 86_400, "d", 3600, "h") ??
    twoUnits(whole, 3600, "h", 60, "m") ??
    twoUnits(whole, 60, "m", 1, "s") ??
    `${whole} s`
  );
}

/** A length that is a round number: `10 s`, `15 m`. */
export const roundLength = (milliseconds: number) => length(milliseconds).replace(".0 s", " s");

function twoUnits(value: number, big: number, bigName: string, small: number, smallName: string) {
  if (value < big) return null;
  const rest = Math.floor((value % big) / small);
  return `${Math.floor(value / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
}

/** How long a request took, from microseconds: `412 µs`, `38 ms`, `1.2 s`; nobody measured what is 0. */
export function took(microseconds: number): string {
  if (microseconds === 0) return "–";
  return microseconds < 1000 ? `${microseconds} µs` : length(microseconds / 1000);
}

/** `12 s ago`. */
export function ago(time: string, now: number): string {
  const past = Math.max(0, now - Date.parse(time));
  return past < 1500
    ? "now"
    : `${length(Math.round(past / 1000) * 1000).replace(/\.0 s/, " s")} ago`;
}
