import { expect, test } from "vitest";
import { niceMax, timeTicks } from "./axis";

test.each([
  [0, 1],
  [1, 1],
  [1.2, 2],
  [37, 50],
  [51, 100],
  [0.03, 0.05],
])("the end of an axis for %d", (value, expected) => expect(niceMax(value)).toBeCloseTo(expected));

const HOUR = 3_600_000;

test("ticks are round times, in the chart and apart", () => {
  const from = Date.parse("2026-01-31T08:07:00Z");
  for (const span of [20_000, 10 * 60_000, 3 * HOUR, 24 * HOUR, 30 * 24 * HOUR, 900 * 24 * HOUR]) {
    const ticks = timeTicks(from, from + span, 40, 840);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.every(({ x }) => x >= 40 && x <= 840)).toBe(true);
    const apart = ticks.slice(1).map(({ x }, index) => x - (ticks[index]?.x ?? 0));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(70);
  }
});

test("nothing has no ticks", () => expect(timeTicks(5, 5, 0, 100)).toEqual([]));
