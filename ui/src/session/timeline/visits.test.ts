import { expect, test } from "vitest";
import { visitMarks } from "./visits";

const same = (at: number) => at;

test("the first visit needs no mark, and names stand apart", () => {
  const marks = visitMarks([0, 100, 120, 200], 4, 1000, same);
  expect(marks.map(({ number, isNamed }) => [number, isNamed])).toEqual([
    [2, true],
    [3, false],
    [4, true],
  ]);
});

test("numbers go by all visits, where only the latest are known", () => {
  expect(visitMarks([300, 100], 12, 1000, same).map(({ number }) => number)).toEqual([11, 12]);
});

test("what begins after the picture is not drawn", () => {
  expect(visitMarks([0, 100, 900], 3, 500, same).map(({ number }) => number)).toEqual([2]);
});
