import { expect, test } from "vitest";
import { lineOf, syntaxFault, toYaml } from "./yaml";

const POLICY = `keys:
- name: token
  from: {bearer: {}}
- name: device
  from:
    cooky: sid
fallback: ip
`;

test.each([
  ["keys[1].from", 5],
  ["keys[1].from.cooky", 6],
  ["keys[0]", 2],
  ["keys[0].from.bearer", 3],
  ["fallback", 7],
  ["keys[7].from", 1],
  [".", 1],
])("the line of %s", (place, expected) => expect(lineOf(POLICY, place)).toBe(expected));

test("a line in JSON too", () => {
  expect(lineOf('{\n  "keys": [\n    {"name": "a",\n     "from": 1}\n  ]\n}', "keys[0].from")).toBe(
    4,
  );
});

test("what is no YAML has a line", () => {
  expect(syntaxFault(POLICY)).toBeNull();
  expect(syntaxFault("keys:\n- name: [a\nfallback: ip\n")?.line).toBeGreaterThan(1);
});

test("fields come in the order of the documentation", () => {
  const text = toYaml({
    fallback: "ip",
    keys: [{ from: { bearer: {} }, name: "token" }],
    applications: [{ hosts: ["a.example", "b.example"], name: "shop" }],
  });
  expect(text).toBe(`applications:
  - name: shop
    hosts: [a.example, b.example]
keys:
  - name: token
    from: {bearer: {}}
fallback: ip
`);
});
