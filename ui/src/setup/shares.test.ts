import { expect, test } from "vitest";
import { ruleSums } from "./shares";

test("live workers count, vanished ones do not", () => {
  const shares = [{ name: "token", kind: "key", expected: 10, found: 4 }];
  const worker = (state: "live" | "vanished") => ({ state, shares });
  expect(ruleSums([worker("live"), worker("vanished"), worker("live")])).toEqual([
    { name: "token", kind: "key", expected: 20, found: 8 },
  ]);
});
