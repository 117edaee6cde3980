import { expect, test } from "vitest";
import { paramNames } from "./params";

const param = (name: string) => ({ name, kind: "plain", value: "", forgeable: false });

test.each([
  [[], []],
  [[["user", "card"]], ["user", "card"]],
  [
    [["card"], ["user", "card"]],
    ["user", "card"],
  ],
  [
    [
      ["user", "plan"],
      ["card", "plan"],
    ],
    ["user", "card", "plan"],
  ],
])("%j", (lists, expected) => {
  expect(paramNames(lists.map((names) => ({ params: names.map(param) })))).toEqual(expected);
});
