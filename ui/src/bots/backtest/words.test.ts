import { expect, test } from "vitest";
import type { BacktestAnswer } from "../../api/schema";
import { sum } from "./words";

const found = (newly: [number, number], gone: [number, number], still: number) =>
  sum({
    newly: { count: newly[0], sessions: newly[1], items: [] },
    no_longer: { count: gone[0], sessions: gone[1], items: [] },
    still,
    records: 0,
    records_judged: 0,
  } as BacktestAnswer);

test("sessions are counted apart from users and addresses", () => {
  expect(found([3, 2], [1, 1], 12)).toBe(
    "2 sessions and 1 user or address would newly be flagged, 1 session no longer; 12 stay as they are.",
  );
  expect(found([2, 0], [0, 0], 1)).toBe(
    "2 users and addresses would newly be flagged, nobody no longer; 1 stays as it is.",
  );
});

test("a sentence begins with a capital", () => {
  expect(found([0, 0], [8, 8], 8)).toBe(
    "Nobody would newly be flagged, 8 sessions no longer; 8 stay as they are.",
  );
});

test("no change is said to be none", () => {
  expect(found([0, 0], [0, 0], 0)).toBe("Nobody's verdict would change; 0 stay as they are.");
});
