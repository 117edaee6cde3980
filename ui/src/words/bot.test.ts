import { expect, test } from "vitest";
import { botName, measured, withoutName } from "./bot";

test.each([
  ["account_takeover", "account takeover"],
  ["security_crawler", "scanner"],
  ["something_new", "something new"],
])("%s is called %s", (type, expected) => expect(botName(type)).toBe(expected));

test.each([
  [37, "37"],
  [37.001, "37"],
  [0.954, "0.95"],
  [11.15, "11"],
  [12_345.5, "12,346"],
])("%d is shown as %s", (value, expected) => expect(measured(value)).toBe(expected));

test("a sentence without its detector", () => {
  expect(withoutName("failed logins: 37 at /api/login: in 5 m")).toBe("37 at /api/login: in 5 m");
});
