// How fast it feels: first paint of each page with nothing cached, and the time from a key or click
// to the next frame, by the browser's own event timing. What is there is the demo's traffic, and
// $BENCH_RECORDS more.
import { readFileSync, statSync } from "node:fs";
import { ask, BASE, page as newPage } from "./browser.mjs";
import { fill } from "./fill.mjs";
import { buyer } from "./follow.mjs";
import { longestFrame } from "./long.mjs";
import { findings } from "./pages.mjs";

const DIST = new URL("../dist/", import.meta.url).pathname;
/** The browser reports no event that took less. */
const SHORTEST_MS = 16;
const KEYS = [..."jjjjjjjjkkkkjjjjkkjj"];

const RECORDS = Number(process.env.BENCH_RECORDS ?? 0);

export async function measure(browser) {
  const { session } = await buyer();
  if (RECORDS > 0) await fill({ count: RECORDS, each: 25, hours: 24, boot: "00000000000000b1" });
  const paths = [
    "/sessions",
    `/sessions/${session.session}`,
    "/bots",
    "/bots/overview",
    "/endpoints",
    "/endpoints/flow",
    "/setup",
    "/system",
  ];
  const paints = [];
  for (const path of paths) paints.push(await firstPaint(browser, path));
  const interactions = await interact(browser);
  const long = await longestFrame(browser);
  const serious = (await findings(browser)).length;
  const { store } = await ask("/v1/status");
  return (
    `bench-ui: first_paint_ms=${Math.round(Math.max(...paints))} ` +
    `interaction_p95_ms=${p95(interactions)} script_kib_gz=${scriptKib()} ` +
    `axe_serious=${serious} records=${store.records} long_session_rows=${long.rows} ` +
    `long_frame_ms=${Math.round(long.frameMs)} long_task_cpu_ms=${Math.round(long.taskMs)}`
  );
}

async function firstPaint(browser, path) {
  const page = await newPage(browser);
  await page.goto(`${BASE}${path}`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  const ms = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => {
          const [paint] = list.getEntriesByName("first-contentful-paint");
          if (paint) resolve(paint.startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );
  await page.context().close();
  return ms;
}

async function interact(browser) {
  const page = await newPage(browser);
  await page.goto(`${BASE}/sessions`);
  await page.getByRole("grid").getByRole("row").nth(5).waitFor();
  await page.evaluate(() => {
    globalThis.slow = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.interactionId) globalThis.slow.push([entry.interactionId, entry.duration]);
      }
    }).observe({ type: "event", durationThreshold: 16 });
  });
  for (const key of KEYS) await page.keyboard.press(key);
  // Values: hidden, shown, and one of them chosen and taken away again.
  await page.keyboard.press("f");
  await page.keyboard.press("f");
  await page.getByRole("complementary").getByRole("link").first().click();
  await page.getByRole("button", { name: /^Remove / }).click();
  await page.getByRole("grid").getByRole("row").nth(5).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("j");
  await page.getByRole("button", { name: "Choose columns" }).click();
  await page.getByLabel("Visits").check();
  await page.keyboard.press("Escape");
  // Enter on the button that opened the menu is the button's.
  await page.getByRole("grid").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "In words" }).waitFor();
  for (const key of KEYS) await page.keyboard.press(key);
  await page.waitForTimeout(300);
  const slow = await page.evaluate(() => globalThis.slow);
  await page.context().close();
  const longest = new Map();
  for (const [id, ms] of slow) longest.set(id, Math.max(longest.get(id) ?? 0, ms));
  const done = 2 * KEYS.length + 9;
  const short = Array(Math.max(0, done - longest.size)).fill(SHORTEST_MS);
  return [...longest.values(), ...short];
}

function p95(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.95) - 1];
}

/** Of the scripts that the page names: the first load. */
function scriptKib() {
  const html = readFileSync(`${DIST}index.html`, "utf8");
  const names = [...html.matchAll(/"\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]);
  const bytes = names.reduce((sum, name) => sum + statSync(`${DIST}${name}.gz`).size, 0);
  return (bytes / 1024).toFixed(1);
}
