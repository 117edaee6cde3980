import { describe, expect, test } from "vitest";
import { including, saysWhen, split, term, tidy } from "./words";

test.each([
  ["", []],
  ["  user:dana  errors>=5 ", ["user:dana", "errors>=5"]],
  ['ua:"Go http" -ip:10.0.0.0/8', ['ua:"Go http"', "-ip:10.0.0.0/8"]],
  ['user:"say \\"hi\\" now" x:y', ['user:"say \\"hi\\" now"', "x:y"]],
  ['user:"not closed', ['user:"not closed']],
])("the words of %j", (text, expected) => expect(split(text)).toEqual(expected));

test.each([
  ["user", "dana@mail.example", "user:dana@mail.example"],
  ["ip", "2001:db8::1", "ip:2001:db8::1"],
  ["ua", "Go http", 'ua:"Go http"'],
  ["user", 'say "hi"', 'user:"say \\"hi\\""'],
  ["path", "/a,b", 'path:"/a,b"'],
  ["user", "star*", 'user:"star*"'],
])("%s is %s", (field, value, expected) => {
  expect(term(field, value)).toBe(expected);
  expect(split(`a:b ${term(field, value)} c:d`)).toHaveLength(3);
});

describe("including and leaving out", () => {
  test.each([
    [[], "ip:1", false, ["ip:1"]],
    [["app:a", "-ip:1"], "ip:1", false, ["app:a", "ip:1"]],
    [["ip:1"], "ip:1", true, ["-ip:1"]],
    [["ip:1"], "ip:1", false, ["ip:1"]],
    [["user:a"], "user:b", false, ["user:a", "user:b"]],
  ])("%j and %s", (words, word, leaveOut, expected) => {
    expect(including(words, word, leaveOut)).toEqual(expected);
  });
});

test("knows when a filter says when", () => {
  expect(saysWhen(["user:last", "errors>=1"])).toBe(false);
  expect(saysWhen(["from:2h"])).toBe(true);
});

test.each([
  ['user:"dana"', "user:dana"],
  ['-ip:"10.0.0.1"', "-ip:10.0.0.1"],
  ['endpoint:"GET /a"', 'endpoint:"GET /a"'],
  ['user:"star*"', 'user:"star*"'],
  ['path:"/a..b"', 'path:"/a..b"'],
])("%s without needless quotes", (word, expected) => expect(tidy(word)).toBe(expected));
