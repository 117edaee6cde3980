// A session of 100,000 requests, from its first to its last: how long is the longest frame?
import { BASE, page as newPage } from "./browser.mjs";
import { fill } from "./fill.mjs";

export const REQUESTS = 100_000;
const TRACED = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];
const WHEEL_PX = 6000;
/** A slow machine does not reach the end; what it drew until then counts. */
const TIME_MAX_MS = 60_000;

/**
 * The longest frame while it is scrolled through, milliseconds; what the longest task of the page's
 * thread computed, which other programs on the machine do not change; how many requests came by.
 */
export async function longestFrame(browser) {
  const session = await fill({
    count: REQUESTS,
    each: REQUESTS,
    hours: 6,
    boot: "00000000000000a1",
  });
  const page = await newPage(browser);
  await page.goto(`${BASE}/sessions/${session}`);
  const table = page.getByRole("grid", { name: "Requests" });
  await table.getByRole("row").nth(5).waitFor();
  await page.getByText("of the first 2,000 requests").waitFor();
  await page.evaluate(() => {
    globalThis.frames = [];
    let before = performance.now();
    const next = (now) => {
      globalThis.frames.push(now - before);
      before = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await browser.startTracing(page, { categories: TRACED });
  await table.hover();
  const end = Date.now() + TIME_MAX_MS;
  const last = page.getByText(`All ${REQUESTS.toLocaleString("en-US")} requests`);
  while (Date.now() < end && (await last.count()) === 0) await page.mouse.wheel(0, WHEEL_PX);
  await page.waitForTimeout(300);
  const frames = await page.evaluate(() => globalThis.frames);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const tasks = traceEvents.filter(({ name, tdur }) => name === "RunTask" && tdur > 0);
  const rows = Number(await table.getAttribute("aria-rowcount")) - 1;
  await page.context().close();
  return {
    frameMs: Math.max(...frames),
    taskMs: tasks.reduce((longest, { tdur }) => Math.max(longest, tdur / 1000), 0),
    rows,
  };
}
