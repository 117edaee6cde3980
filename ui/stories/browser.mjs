// Chromium, and a page per story that must not write errors or ask another host.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const BASE = process.env.BASE ?? "http://127.0.0.1:8470";
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** A machine that compiles something else needs it. */
const WAIT_MS = 45_000;

export async function open() {
  const program = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));
  if (!program) throw new Error("no Chromium: install it (apt install chromium) or set $CHROMIUM");
  const browser = await chromium.launch({ executablePath: program, args: ARGS });
  return { chromium: browser, tell: (story) => tell(browser, story), close: () => browser.close() };
}

/** A page as a person has it. */
export async function page(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const made = await context.newPage();
  made.faults = [];
  made.on("pageerror", (error) => made.faults.push(`error: ${error.message}`));
  made.on("console", (message) => {
    // Answers that are problems are shown by the page; the browser notes them here too.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) made.faults.push(`console: ${message.text()}`);
  });
  made.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(origin)) made.faults.push(`asked ${request.url()}`);
  });
  return made;
}

/** Null, or what went wrong, with a picture of it. */
async function tell(browser, story) {
  const made = await page(browser);
  try {
    await story(made, browser);
    return made.faults.length > 0 ? made.faults.join("\n") : null;
  } catch (error) {
    const picture = join(process.env.FOLDER ?? ".", `failed-${Date.now()}.png`);
    await made.screenshot({ path: picture }).catch(() => undefined);
    return `${error.stack}\nat ${made.url()}, picture ${picture}\n${made.faults.join("\n")}`;
  } finally {
    await made.context().close();
  }
}

export function expect(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

/** The JSON of a path of the API. */
export async function ask(path) {
  const answer = await fetch(`${BASE}${path}`);
  expect(answer.ok, `${path} answers, not ${answer.status}`);
  return answer.json();
}

/** Waits until `condition` gives something. */
export async function eventually(what, condition, limitMs = WAIT_MS) {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`expected in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Who one is, and the token: asked for once. */
export async function agree(page, does) {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Who you are").fill("ben");
  const token = dialog.getByLabel("Admin token");
  if (await token.isVisible()) await token.fill(process.env.ADMIN_TOKEN ?? "");
  await dialog.getByRole("button", { name: does }).click();
}
