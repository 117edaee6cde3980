import { expect, test } from "vitest";
import type { Exchange } from "../api/schema";
import { curlOf } from "./request";

const request = {
  method: "POST",
  scheme: "https",
  host: "shop.example",
  path: "/api/o'neil",
  query_names: ["page", "q"],
  query_values: [{ name: "page", value: "2" }],
  user_agent: "curl/8",
} as Exchange;

test("a request for a shell", () => {
  expect(curlOf(request)).toBe(
    "curl -i -X POST 'https://shop.example/api/o'\\''neil?page=2&q' -A 'curl/8'",
  );
  expect(curlOf({ ...request, method: "GET", query_names: [], user_agent: null })).toBe(
    "curl -i 'https://shop.example/api/o'\\''neil'",
  );
});
