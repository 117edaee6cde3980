import { expect, test } from "vitest";
import { scale } from "./scale";

test("one moment stands in the middle", () => {
  expect(scale([5000], 0, 100).x(5000)).toBe(50);
});

test("without pauses time is drawn in proportion", () => {
  const { x, breaks } = scale([0, 250, 500, 750, 1000], 0, 1000);
  expect(breaks).toEqual([]);
  expect(x(0)).toBe(0);
  expect(x(500)).toBeCloseTo(500);
  expect(x(1000)).toBe(1000);
});

test("a long pause is drawn short, and named", () => {
  const { x, breaks } = scale([0, 1000, 3_601_000, 3_602_000], 0, 1000);
  expect(breaks.map(({ ms }) => ms)).toEqual([3_600_000]);
  expect(x(1000)).toBeCloseTo(477);
  expect(x(3_601_000) - x(1000)).toBeCloseTo(46);
  expect(x(3_602_000)).toBeCloseTo(1000);
});

test("later is never drawn further left", () => {
  const times = [0, 3, 9, 5000, 5001, 90_000, 90_500, 700_000];
  const { x } = scale(times, 10, 810);
  const drawn = times.map(x);
  expect(drawn).toEqual([...drawn].sort((one, other) => one - other));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(810);
});

test("ticks stand on round times and apart", () => {
  const { ticks } = scale([0, 2000, 4000, 6000, 8000, 10_000, 12_000], 0, 500);
  expect(ticks.map(({ at }) => at)).toEqual([0, 5000, 10_000]);
});
