// Would a lower limit, or an exception, change whom we flag? Asked of what is stored, before
// anything becomes the policy; and what one sees goes along as a file.
import { readFileSync } from "node:fs";
import { ask, BASE, expect } from "./browser.mjs";

/** Where half of the demo's clients come from, bots among them. */
const NETWORK = "198.18.0.0/16";

export async function leaveAlone(profile) {
  await profile.getByLabel("Value").fill(NETWORK);
  await profile.getByRole("button", { name: "Add", exact: true }).click();
  await profile.getByRole("button", { name: `Remove ${NETWORK}` }).waitFor();
}

export async function tell(page) {
  await page.goto(`${BASE}/bots/backtest`);
  const shop = page.getByRole("region", { name: "shop", exact: true });
  await shop.waitFor();
  const outcome = page.getByRole("region", { name: "What it would change" });
  await outcome.getByRole("heading", { name: "Nothing is changed yet" }).waitFor();
  const judge = outcome.getByRole("button", { name: "Judge what is stored" });
  expect(await judge.isDisabled(), "without a change there is nothing to judge");

  // Half of the demo's addresses are left alone: their sessions go.
  await leaveAlone(shop);
  await outcome.getByRole("heading", { name: "Not judged yet" }).waitFor();
  await judge.click();
  const gone = outcome.getByRole("region", { name: "No longer flagged" });
  const session = gone.getByRole("link", { name: /^[0-9a-f]{12}$/ }).first();
  await session.waitFor();
  await outcome.getByText(/would newly be flagged, .* no longer/).waitFor();

  // To one of them and back: the answer is still there.
  await session.focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}/);
  await page.goBack();
  await session.waitFor();

  // Another change makes it old; taken back, nothing is changed.
  await shop.getByLabel("Limit of Scraping").fill("3");
  await outcome.getByText("The profile was changed since").waitFor();
  await shop.getByLabel("Limit of Scraping").fill("");
  await page.goto(`${BASE}/setup/policy`);
  await page.getByRole("button", { name: "Take back my changes" }).click();
  const { version } = await ask("/v1/policy");
  await page.goto(`${BASE}/bots/backtest`);
  await outcome.getByRole("heading", { name: "Nothing is changed yet" }).waitFor();
  expect((await ask("/v1/policy")).version === version, "nothing became the policy");

  await takeAlong(page);
}

/** A list as a file, from the page that shows it. */
async function takeAlong(page) {
  await page.goto(`${BASE}/sessions?q=path:/api/login&last=all`);
  await page.getByRole("button", { name: "Export as a file" }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Their requests as CSV" }).click();
  const download = await saved;
  expect(download.suggestedFilename() === "requests.csv", download.suggestedFilename());
  const lines = readFileSync(await download.path(), "utf8")
    .trim()
    .split("\n");
  const all = lines.slice(1);
  expect(all.length > 10, `there are requests, not ${all.length}`);
  expect(
    all.every((line) => line.includes("/api/login")),
    "the filter holds for each of them",
  );
  await page.getByRole("status").filter({ hasText: "Saved as requests.csv" }).waitFor();
  await page.getByRole("button", { name: /throughline export --what requests/ }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.includes("--where 'path:/api/login'"), copied);

  // What is wrong is said where one asked.
  await page.route("**/v1/export/**", (route) => route.abort());
  await page.getByRole("button", { name: "Sessions as Parquet" }).click();
  await page.getByText("The service does not answer").waitFor();
  await page.unroute("**/v1/export/**");
}
