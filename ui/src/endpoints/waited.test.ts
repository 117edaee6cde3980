import { expect, test } from "vitest";
import { waited } from "./waited";

test("a request at the beginning of a latency's bucket has waited", () => {
  const beginsMs = 2 ** (140 / 8) / 1000;
  const middleMs = 2 ** (140.5 / 8) / 1000;
  const [, from] = /took>=(\d+)ms/.exec(waited(middleMs)) ?? [];
  expect(Number(from)).toBeLessThanOrEqual(beginsMs);
  expect(Number(from)).toBeGreaterThan(beginsMs - 1.01);
});
