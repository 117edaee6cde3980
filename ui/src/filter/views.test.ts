import { expect, test } from "vitest";
import { viewUrl, withView } from "./views";

test("a name stands for one view", () => {
  const views = [{ name: "b", url: "/sessions?q=x" }];
  expect(withView(views, { name: "a", url: "/bots" }).map(({ name }) => name)).toEqual(["a", "b"]);
  expect(withView(views, { name: "b", url: "/bots" })).toEqual([{ name: "b", url: "/bots" }]);
});

test.each([
  ["/sessions?q=a&at=1", "/sessions?q=a"],
  ["/sessions?at=1", "/sessions"],
  ["/bots", "/bots"],
])("the view of %s", (url, expected) => expect(viewUrl(url)).toBe(expected));
