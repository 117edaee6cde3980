import { expect, test } from "vitest";
import { linkName, relation } from "./link";

test("a link has words, whatever the API calls it", () => {
  expect(linkName("policy_change")).toBe("change of the policy");
  expect(linkName("both")).toBe("both keys at once");
  expect(linkName("some_new_kind")).toBe("some new kind");
});

test("what is related is said with its distance", () => {
  expect(relation("user", 0)).toBe("the same user");
  expect(relation("login", 1)).toBe("by a login");
  expect(relation("both", 2)).toBe("by both keys at once, 2 links away");
  expect(relation("policy_change", 3)).toBe("by a change of the policy, 3 links away");
});
