import { expect, test } from "vitest";
import { slip } from "./check";
import { offersAt } from "./complete";
import { highlight } from "./highlight";
import { caretAt } from "./place";

/** `|` is the caret. */
const at = (text: string) => [text.replace("|", ""), text.indexOf("|")] as const;

test.each([
  ["|", "", "field", ""],
  ["ke|", "", "field", "ke"],
  ["fallback: ip|", "fallback", "value", "ip"],
  ["keys:\n- na|", "keys []", "field", "na"],
  ["keys:\n- name: a\n  fr|", "keys []", "field", "fr"],
  ["keys:\n  - name: a\n    from: {|", "keys [] from", "field", ""],
  ["keys:\n- name: a\n  from:\n    co|", "keys [] from", "field", "co"],
  ["keys:\n- from: {response: {js|", "keys [] from response", "field", "js"],
  ["keys:\n- from: [{cookie: a}, {he|", "keys [] from []", "field", "he"],
  ["keys:\n- from: {cookie: a}\n  met|", "keys []", "field", "met"],
  ["detection:\n- off: [scraping, re|", "detection [] off []", "value", "re"],
  ["detection:\n- off:\n  - re|", "detection [] off []", "field", "re"],
  ["detection:\n- sensitivity: |", "detection [] sensitivity", "value", ""],
  ["keys:\n- name: a\nfa|", "", "field", "fa"],
])("the caret in %j", (text, path, kind, typed) => {
  expect(caretAt(...at(text))).toEqual({ path: path.split(" ").filter(Boolean), kind, typed });
});

const offered = (text: string) => offersAt(...at(text)).map(({ insert }) => insert);

test.each([
  ["fallback: |", ["ip_user_agent", "ip", "ip_prefix"]],
  ["keys:\n- from: {be|", ["bearer: {}"]],
  ["keys:\n- from: {coo|", ["cookie: "]],
  ["parameters:\n- kind: r|", ["role"]],
  ["detection:\n- off: [scr|", ["scraping"]],
  ["detection:\n- off:\n  - scr|", ["scraping"]],
  ["keys:\n- name: |", []],
  ["nothing:\n  like: |", []],
])("offers in %j", (text, expected) => expect(offered(text)).toEqual(expected));

test.each([
  [{ keys: [{ name: "a", from: { cooky: "sid" } }] }, "keys[0].from.cooky", "mean cookie?"],
  [{ fallback: "ipp" }, "fallback", "mean ip?"],
  [{ detection: [{ off: ["scraping", "scrapingg"] }] }, "detection[0].off[1]", "mean scraping?"],
  [{ applications: [{ name: "a", hosts: ["b"] }], keys: [] }, undefined, undefined],
  [
    { parameters: [{ name: "a", from: [{ json: "/a" }], mask: null, hash: true }] },
    undefined,
    undefined,
  ],
])("the slip in %j", (policy: unknown, place?: string, why?: string) => {
  const found = slip(policy);
  expect(found?.place).toBe(place);
  if (why !== undefined) expect(found?.why).toContain(why);
});

test("text is coloured by what it is, and stays the same text", () => {
  const line = `- from: {cookie: "a b"} # why`;
  const parts = highlight(line);
  expect(parts.map(({ text }) => text).join("")).toBe(line);
  expect(parts.filter(({ kind }) => kind === "field").map(({ text }) => text)).toEqual([
    "from",
    "cookie",
  ]);
  expect(parts.at(-1)).toEqual({ kind: "comment", text: "# why" });
});
