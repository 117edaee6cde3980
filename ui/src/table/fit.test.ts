import { expect, test } from "vitest";
import { fitting } from "./fit";

const COLUMNS = [
  { id: "when", min: 90, priority: 1 },
  { id: "role", min: 80, priority: 3 },
  { id: "what", min: 200, priority: 2 },
];

test.each([
  [1000, ["when", "what", "role"]],
  [370, ["when", "what", "role"]],
  [369, ["when", "what"]],
  [100, ["when"]],
  [0, ["when"]],
])("%i pixels", (width, expected) => {
  expect([...fitting(COLUMNS, width)]).toEqual(expected);
});
