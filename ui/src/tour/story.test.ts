import { expect, test } from "vitest";
import { after, byAddress, placeOf, rulesAt, rulesOf } from "./story";
import { stepOf, withStep } from "./step";

test("the address with most sessions, of those with a bot", () => {
  const source = (address: string, sessions: number, bots: number) => ({
    source: address,
    sessions,
    bots,
  });
  expect(placeOf([])).toBeNull();
  expect(placeOf([source("192.0.2.1", 2, 1)])).toBeNull();
  const busy = source("192.0.2.2", 40, 0);
  expect(placeOf([busy])?.bots).toBe(0);
  const place = placeOf([busy, source("192.0.2.3", 9, 1), source("192.0.2.4", 5, 5)]);
  expect(place).toEqual({ address: "192.0.2.3", sessions: 9, bots: 1 });
});

test("what blocking would hit", () => {
  const place = { address: "192.0.2.3", sessions: 214, bots: 1 };
  expect(byAddress(place, null)).toContain("would hit 213 that are not held for bots");
  expect(byAddress({ ...place, bots: 0 }, null)).toContain("would hit all 214");
  const lump = {
    session: "a",
    address: "192.0.2.3",
    requests: 900,
    programs: 12,
    users: 0,
    held: true,
  };
  expect(byAddress(null, lump)).toBe(
    "192.0.2.3 is one session here: 900 requests of 12 user agents, held for a bot as a whole. Blocking it would hit all of them.",
  );
  expect(byAddress(null, { ...lump, users: 30, held: false })).toContain("of 30 users. Blocking");
  expect(byAddress(null, null)).toContain("Send traffic");
});

test("what the key leaves alone", () => {
  const place = { address: "192.0.2.3", sessions: 214, bots: 1 };
  expect(after(place)).toContain("one is held for a bot. Stopping that leaves the other 213 alone");
  expect(after({ ...place, bots: 2 })).toContain("2 are held for bots");
  expect(after({ ...place, bots: 0 })).toContain("none of them is held");
  expect(after(null)).toContain("yet");
});

test("the policy's rules, then what they found", () => {
  const names = rulesOf({ keys: [{ name: "cookie" }, {}], fallback: "ip" });
  expect(names).toEqual(["cookie", "ip"]);
  expect(rulesOf({})).toEqual(["ip_user_agent"]);
  expect(rulesOf(null)).toEqual([]);
  const found = [
    { value: "ip", sessions: 1 },
    { value: "old", sessions: 2 },
  ];
  expect(rulesAt(names, found)).toEqual([
    { name: "cookie", sessions: 0 },
    { name: "ip", sessions: 1 },
    { name: "old", sessions: 2 },
  ]);
});

test("the step is in the URL", () => {
  for (const [text, step] of [
    ["1", 1],
    ["5", 5],
    ["6", null],
    ["0", null],
    ["x", null],
    [null, null],
  ] as const) {
    expect(stepOf(text)).toBe(step);
  }
  expect(withStep("/sessions", 2)).toBe("/sessions?tour=2");
  expect(withStep("/sessions?q=a", 3)).toBe("/sessions?q=a&tour=3");
});
