import { expect, test } from "vitest";
import { clientName } from "./client";
import { shortEndpoint, stepName } from "./endpoint";
import { bytes, percent } from "./number";
import { length, micros, took } from "./time";

test.each([
  [0, "0 s"],
  [0.4, "<1 ms"],
  [38, "38 ms"],
  [7205, "7.2 s"],
  [372_000, "6 m 12 s"],
  [60_000, "1 m"],
  [12_000_000, "3 h 20 m"],
  [187_200_000, "2 d 4 h"],
])("a length of %d ms", (ms, expected) => expect(length(ms)).toBe(expected));

test.each([
  [412, "412 µs"],
  [38_200, "38 ms"],
  [1_200_000, "1.2 s"],
])("a request of %d µs", (us, expected) => expect(took(us)).toBe(expected));

test("microseconds survive", () => {
  expect(micros("1970-01-01T00:00:01.000003Z")).toBe(1_000_003);
  expect(micros("1970-01-01T00:00:01Z")).toBe(1_000_000);
});

test.each([
  [0, "0 %"],
  [0.0001, "<0.1 %"],
  [0.012, "1.2 %"],
  [0.9999, ">99.9 %"],
  [1, "100 %"],
])("a share of %d", (share, expected) => expect(percent(share)).toBe(expected));

test.each([
  [900, "900 B"],
  [2048, "2.0 KiB"],
  [350_000_000, "334 MiB"],
])("%d bytes", (value, expected) => expect(bytes(value)).toBe(expected));

test.each([
  ["/", "home"],
  ["/api/products/1387/reviews", "products/{id}/reviews"],
  ["/api/v2/users/~0a1b2c3d", "users/{id}"],
  ["/api/orders/A-1001", "orders/{id}"],
  ["/.env", ".env"],
  ["/assets/app.js", "files"],
  [null, "(no path)"],
])("the step of %s", (path, expected) => expect(stepName(path)).toBe(expected));

test.each([
  ["GET /api/orders/{id}", "orders/{id}"],
  ["POST /api/v1/login", "POST login"],
  ["GET /", "home"],
  ["(other)", "(other)"],
])("%s in short", (endpoint, expected) => expect(shortEndpoint(endpoint)).toBe(expected));

test.each([
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Safari 26 · macOS",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    "Chrome 137 · Windows",
  ],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
    "Headless Chrome 131 · Linux",
  ],
  ["python-requests/2.32.5", "python-requests 2"],
  ["ExampleShop/5.2.0 (Android 15; Pixel 8) okhttp/4.12.0", "ExampleShop 5 · Android"],
  ["Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example)", "ExampleBot 2"],
  ["", "(none)"],
])("the client %s", (agent, expected) => expect(clientName(agent)).toBe(expected));
