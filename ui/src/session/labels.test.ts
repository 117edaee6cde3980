import { expect, test } from "vitest";
import { labelsOf } from "./labels";

test.each([
  ["", []],
  [" , ", []],
  ["partner", ["partner"]],
  ["asked Ann,  odd ,odd", ["asked Ann", "odd"]],
])("labels are typed with commas between: %j", (text, labels) => {
  expect(labelsOf(text)).toEqual(labels);
});
