// Who tries stolen passwords? Find them, read the evidence, confirm it; reject a verdict that is
// wrong, and see it stay rejected while traffic goes on.
import { agree, ask, BASE, eventually, expect } from "./browser.mjs";

export async function tell(page) {
  await page.goto(`${BASE}/bots`);
  await page.getByLabel("Type of bot").selectOption("account_takeover");
  const queue = page.getByRole("region", { name: "Verdicts" }).getByRole("listitem");
  await queue.first().waitFor();
  const card = page.getByRole("region", { name: "Verdict", exact: true });
  await card.getByText("The limit is").first().waitFor();

  // From the sentence to the very request.
  await card
    .getByText(/\d+ requests? that show it/)
    .first()
    .click();
  await card
    .getByRole("link", { name: /\/api\// })
    .first()
    .click();
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}\?at=/);
  await page.getByRole("region", { name: "The chosen request" }).waitFor();
  await page.keyboard.press("Escape");
  await card.getByRole("button", { name: "Confirm…" }).click();
  await agree(page, "Confirm the verdict");
  await card.getByText("ben: confirmed").waitFor();

  // A wrong one.
  await page.goto(`${BASE}/bots?type=scraping`);
  await queue.first().waitFor();
  await card.getByRole("button", { name: "Wrong…" }).click();
  const session = (await page.getByRole("link", { name: /^[0-9a-f]{32}$/ }).innerText()).trim();
  await page.getByRole("dialog").getByLabel("Why").fill("our own price check");
  await agree(page, "Reject the verdict");
  await eventually("it is out of the queue", async () => {
    const shown = await page.getByRole("link", { name: session }).count();
    return shown === 0;
  });
  process.stdout.write("stories: send traffic\n");
  const { store } = await ask("/v1/status");
  await eventually("traffic went on", async () => {
    const now = await ask("/v1/status");
    return now.store.records > store.records + 1000;
  });
  const { state, label } = await ask(`/v1/verdicts/session-${session}`);
  expect(state === "rejected" && label.note === "our own price check", `it stays ${state}`);
  await page.goto(`${BASE}/bots?view=rejected`);
  await page.getByRole("link", { name: session }).waitFor();
}
