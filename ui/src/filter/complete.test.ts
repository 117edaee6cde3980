import { expect, test } from "vitest";
import { fieldOf, offers } from "./complete";

const values = [
  { value: "dana", term: 'user:"dana"', sessions: 12, requests: null, share: 0.5 },
  { value: "ben", term: 'user:"ben"', sessions: 3, requests: null, share: 0.1 },
];

test.each([
  ["us", null],
  ["user:", "user"],
  ["-user:da", "user"],
  ["param.plan:x", "param.plan"],
  ["nothing:x", null],
])("the field of %j", (typed, expected) => expect(fieldOf(typed)?.name ?? null).toBe(expected));

test.each([
  ["us", ["user:"]],
  ["-us", ["-user:"]],
  ["user:d", ["user:dana"]],
  ["-user:", ["-user:dana", "-user:ben"]],
  ["nothing:x", []],
])("offers for %j", (typed, expected) => {
  expect(offers(typed, values).map(({ text }) => text)).toEqual(expected);
});

test("what nobody has yet is offered too", () => {
  expect(offers("status:5", []).map(({ text }) => text)).toEqual(["status:5xx"]);
});
