import { expect, test } from "vitest";
import { rates, withSample } from "./rate";

test("records per second", () => {
  const samples = [0, 100, 100, 400].reduce(
    (all, stored, index) => withSample(all, { at: index * 2000, stored }),
    [] as { at: number; stored: number }[],
  );
  expect(rates(samples)).toEqual([50, 0, 150]);
  expect(withSample(samples, { at: 9000, stored: 3 })).toHaveLength(1);
  expect(withSample(samples, { at: 100, stored: 999 })).toBe(samples);
});
