import { expect, test } from "vitest";
import { isOld } from "./oldCursor";
import { ApiProblem } from "./problem";

test("only a next page that was refused for its age makes a list begin anew", () => {
  const problem = (word: string) =>
    new ApiProblem({
      type: `urn:throughline:problem:${word}`,
      title: "",
      status: 400,
      detail: "",
    });
  expect(isOld({ isFetchNextPageError: true, error: problem("old-cursor") })).toBe(true);
  expect(isOld({ isFetchNextPageError: true, error: problem("bad-cursor") })).toBe(false);
  expect(isOld({ isFetchNextPageError: false, error: problem("old-cursor") })).toBe(false);
  expect(isOld({ isFetchNextPageError: true, error: new Error("lost") })).toBe(false);
});
