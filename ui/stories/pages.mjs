// Every page in both themes: axe finds nothing serious, and there is a picture of it when asked for.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { ask, BASE, expect, page as newPage } from "./browser.mjs";
import { leaveAlone } from "./backtest.mjs";
import { buyer } from "./follow.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const IMAGES = new URL("../../docs/images/", import.meta.url).pathname;
// To look at, not to keep.
const NARROW_IMAGES = new URL("../../target/images/", import.meta.url).pathname;
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 844 };

/** Name, path, what is there when the page is, and what one does there first. */
async function pages() {
  const { session, before } = await buyer();
  const bot = await stuffer();
  const { items } = await ask("/v1/endpoints?sort=p95&limit=1");
  return [
    ["sessions", "/sessions", "grid"],
    ["tour", "/sessions?tour=1", "complementary"],
    ["buyer", `/sessions/${session.session}`, "grid"],
    ["compare", `/sessions/${session.session}/compare/${before}`, "table"],
    ["session", `/sessions/${bot.session}?at=${bot.request}`, "grid"],
    ["bots", "/bots", "listitem"],
    ["bots-overview", "/bots/overview?last=all", "slider"],
    ["backtest", "/bots/backtest", "region", judged],
    ["endpoints", "/endpoints?last=all", "grid"],
    ["endpoint", `/endpoints/${items[0].id}?last=all`, "table"],
    ["flow", "/endpoints/flow?last=all", "complementary"],
    ["funnels", "/endpoints/funnels?last=all", "heading"],
    ["setup", "/setup", "textbox"],
    ["candidates", "/setup/candidates", "heading"],
    ["keys", "/setup/keys", "heading"],
    ["detection", "/setup/detection", "heading"],
    ["versions", "/setup/versions", "table"],
    ["system", "/system", "table"],
    ["connect", "/system/connect", "heading"],
  ];
}

/** A session of somebody who tries stolen passwords, and a request that shows it. */
async function stuffer() {
  const query = new URLSearchParams({ bot_type: "account_takeover", limit: "100" });
  const { items } = await ask(`/v1/verdicts?${query}`);
  const busy = items.find(({ requests }) => requests >= MANY_REQUESTS) ?? items[0];
  const { evidence, subject } = await ask(`/v1/verdicts/${busy.id}`);
  return { session: subject, request: evidence[0].records.at(-1).record_id };
}

const MANY_REQUESTS = 10;

export async function lookAtAll(_, browser) {
  const found = await findings(browser);
  expect(found.length === 0, `nothing serious, but\n${found.join("\n")}`);
}

/** What axe calls serious or critical, what is too wide for a phone, and faults of the pages. */
export async function findings(browser) {
  const drawn = process.env.UPDATE_IMAGES !== undefined;
  if (drawn) for (const folder of [IMAGES, NARROW_IMAGES]) mkdirSync(folder, { recursive: true });
  const found = [];
  for (const theme of ["light", "dark"]) {
    const page = await newPage(browser, { colorScheme: theme, viewport: WIDE });
    for (const [name, path, role, act] of await pages()) {
      await page.goto(`${BASE}${path}`);
      await page
        .getByRole(role)
        .first()
        .waitFor()
        .catch((error) => {
          throw new Error(`${name}, ${theme} has no ${role}: ${error.message}`);
        });
      await act?.(page);
      await page.waitForLoadState("networkidle");
      found.push(...(await serious(page, `${name}, ${theme}`)));
      if (drawn) await page.screenshot({ path: `${IMAGES}${name}-${theme}.png` });
      await page.setViewportSize(NARROW);
      // Colours are the same as on the wide page.
      if (theme === "light") found.push(...(await serious(page, `${name}, narrow`)));
      found.push(...(await sideways(page, name)));
      if (drawn) await page.screenshot({ path: `${NARROW_IMAGES}${name}-${theme}.png` });
      await page.setViewportSize(WIDE);
    }
    found.push(...page.faults);
    await page.context().close();
  }
  return found;
}

/** A profile with another exception, and whom that would change. */
async function judged(page) {
  const shop = page.getByRole("region", { name: "shop", exact: true });
  if (await shop.getByRole("button", { name: /^Remove / }).isHidden()) await leaveAlone(shop);
  await page.getByRole("button", { name: "Judge what is stored" }).click();
  await page.getByRole("heading", { name: "No longer flagged" }).waitFor();
}

async function serious(page, where) {
  // Not a script element: the content security policy stays as it is.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${where}: ${id}\n  ${nodes
          .map(({ html }) => html)
          .slice(0, 3)
          .join("\n  ")}`,
    );
}

/** Nothing is scrolled sideways. */
async function sideways(page, name) {
  const over = await page.evaluate(
    () => document.querySelector("main").scrollWidth - document.documentElement.clientWidth,
  );
  return over > 0 ? [`${name}: ${over} px wider than a phone`] : [];
}
