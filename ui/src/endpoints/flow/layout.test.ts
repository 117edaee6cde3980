import { expect, test } from "vitest";
import type { Edge, Node } from "../../api/schema";
import { ENTRY, EXIT, layout } from "./layout";

const node = (endpoint: string): Node => ({
  endpoint,
  requests: 10,
  entries: 0,
  exits: 0,
  error_share: 0,
});
const edge = (from: string, to: string, count: number): Edge => ({
  from,
  to,
  count,
  share: 0.5,
  error_share: 0,
  median_gap_ms: null,
});

const SHOP = ["home", "search", "cart", "pay"].map(node);
const STEPS = [
  edge(ENTRY, "home", 100),
  edge("home", "search", 80),
  edge("search", "search", 60),
  edge("search", "cart", 40),
  edge("cart", "pay", 20),
  edge("cart", "search", 15),
  edge("pay", EXIT, 18),
  edge("home", "pay", 1),
];

test("columns go from entry to exit", () => {
  const { boxes } = layout(SHOP, STEPS, 1000, 50);
  const column = Object.fromEntries(boxes.map(({ endpoint, column: at }) => [endpoint, at]));
  expect(column).toEqual({ [ENTRY]: 0, home: 1, search: 2, cart: 3, pay: 4, [EXIT]: 5 });
});

test("a step to itself is said at the box, one back is marked", () => {
  const { boxes, arrows } = layout(SHOP, STEPS, 1000, 50);
  expect(boxes.find(({ endpoint }) => endpoint === "search")?.again).toBe(60);
  expect(arrows.filter(({ isBack }) => isBack).map(({ edge: e }) => e.to)).toEqual(["search"]);
});

test("however much there is, it stays within the picture and no boxes touch", () => {
  const many = Array.from({ length: 40 }, (_, index) => node(`e${index}`));
  const steps = many.flatMap((one, index) => [
    edge(ENTRY, one.endpoint, 100 - index),
    edge(one.endpoint, `e${(index * 7) % 40}`, 50),
  ]);
  const { boxes, arrows, width, height } = layout(many, steps, 1200, 60);
  expect(arrows.length).toBeLessThanOrEqual(60 + 2 * 40);
  for (const one of boxes) {
    expect(one.x).toBeGreaterThanOrEqual(0);
    expect(one.x + one.wide).toBeLessThanOrEqual(width + 1);
    expect(one.y + one.high).toBeLessThanOrEqual(height);
    const above = boxes.filter((other) => other !== one && other.x === one.x && other.y >= one.y);
    for (const other of above) expect(other.y - one.y).toBeGreaterThanOrEqual(one.high);
  }
});

test("an endpoint of rare steps is joined too", () => {
  const { arrows } = layout(SHOP, STEPS, 1000, 2);
  expect(new Set(arrows.flatMap(({ edge: { from, to } }) => [from, to])).size).toBe(6);
});

test("nothing is drawn as nothing", () => {
  expect(layout([], [], 800, 10).arrows).toEqual([]);
});
