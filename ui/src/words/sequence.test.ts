import { expect, test } from "vitest";
import { sequence, type Step } from "./sequence";

/** `POST /api/login 401` a second apart; `+60` makes a pause of so many seconds. */
function steps(lines: string[]): string {
  let at = Date.parse("2026-01-31T08:00:00Z");
  const requests = lines.flatMap((line) => {
    if (line.startsWith("+")) {
      at += Number(line) * 1000;
      return [];
    }
    const [method, path, status] = line.split(" ");
    at += 1000;
    return [{ start: new Date(at).toISOString(), method, path, status: Number(status) }];
  });
  return sequence(requests).map(text).join(" · ");
}

function text(step: Step): string {
  if (step.kind === "pause") return `pause ${step.ms / 1000}`;
  if (step.kind === "round") return `(${step.runs.map(text).join(" · ")})×${step.count}`;
  return `${step.name}${step.count > 1 ? `×${step.count}` : ""}${step.status ? ` ${step.status}` : ""}`;
}

test.each([
  [[], ""],
  [["GET / 200"], "home"],
  [
    [...Array<string>(37).fill("POST /api/login 401"), "POST /api/login 200", "GET /api/me 200"],
    "login×37 401 · login · me",
  ],
  [["GET /api/orders/1 403", "GET /api/orders/2 403"], "orders/{id}×2 403"],
  [["GET /a.js 200", "GET /b.css 304", "GET /api/v1/x 500"], "files×2 · x 500"],
  [["GET /a 200", "GET /b 200", "GET /a 200", "GET /b 200", "GET /c 200"], "(a · b)×2 · c"],
  [["GET /a 200", "+600", "GET /a 200"], "a · pause 601 · a"],
  [["GET /cart 200", "POST /cart 200"], "cart · cart"],
])("%j", (lines, expected) => {
  expect(steps(lines)).toBe(expected);
});
