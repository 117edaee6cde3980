import { expect, test } from "vitest";
import { diff, hunks } from "./diff";

const SIGN = { same: " ", gone: "-", new: "+" };
const short = (before: string, after: string) =>
  diff(before, after).map(({ kind, text }) => SIGN[kind] + text);

test.each([
  ["a\nb", "a\nb", [" a", " b"]],
  ["a\nb\nc", "a\nc", [" a", "-b", " c"]],
  ["a\nc", "a\nb\nc", [" a", "+b", " c"]],
  ["a\nb\nc", "a\nx\nc", [" a", "-b", "+x", " c"]],
  ["", "a", ["-", "+a"]],
])("%j to %j", (before, after, expected) => expect(short(before, after)).toEqual(expected));

test("what is far from a change is left out", () => {
  const before = "1\n2\n3\n4\n5\n6\n7";
  const shown = hunks(diff(before, before.replace("4", "four")), 1);
  expect(shown.map((line) => line?.text ?? "…")).toEqual(["…", "3", "4", "four", "5", "…"]);
});
