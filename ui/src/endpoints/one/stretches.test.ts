import { expect, test } from "vitest";
import { stretches } from "./stretches";

const MINUTES = ["2026-01-31T08:00:00Z", "2026-01-31T08:01:00Z", "2026-01-31T08:02:00Z"];

test("stretches cover the time without gaps", () => {
  expect(stretches(MINUTES, 60, 2)).toEqual([
    { start: "2026-01-31T08:00:00.000Z", end: "2026-01-31T08:01:30.000Z" },
    { start: "2026-01-31T08:01:30.000Z", end: "2026-01-31T08:03:00.000Z" },
  ]);
  expect(stretches(MINUTES, 60, 24)).toHaveLength(3);
  expect(stretches([], 60, 24)).toEqual([]);
});
