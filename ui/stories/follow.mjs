// A user from anonymous to checkout across the login: one picture, one sentence, one click each way.
import { ask, BASE, expect } from "./browser.mjs";

/** A session that a login made, of somebody who bought something; null while there is none. */
export async function buyer() {
  const query = new URLSearchParams({
    q: "key:login_answer path:/api/checkout has:link",
    limit: "100",
  });
  const { items } = await ask(`/v1/sessions?${query}`);
  for (const { session } of items) {
    const found = await ask(`/v1/sessions/${session}`);
    const link = found.links.find((one) => one.kind === "login" && one.key === "session_cookie");
    if (link && found.requests >= 4) return { session: found, before: link.session };
  }
  return null;
}

export async function tell(page) {
  const { session, before } = await buyer();
  await page.goto(`${BASE}/sessions/${session.session}`);
  await page.getByText("before login").waitFor();
  const words = page.getByRole("region", { name: "What happened" });
  await words.getByRole("button", { name: "login ✓" }).first().waitFor();
  await words
    .getByRole("button", { name: /^checkout/ })
    .first()
    .click();
  const detail = page.getByRole("region", { name: "The chosen request" });
  await detail.getByRole("heading", { name: /POST \/api\/checkout/ }).waitFor();
  expect(page.url().includes("at="), "the request is in the URL");
  await page.keyboard.press("k");
  await page.keyboard.press("Escape");

  // The user of the login is a column, in the policy's order.
  const heads = await page
    .getByRole("grid", { name: "Requests" })
    .getByRole("columnheader")
    .allInnerTexts();
  expect(heads.indexOf("user") > 0 && heads.indexOf("user") < heads.indexOf("tried"), heads.join());

  await page.getByRole("button", { name: "Copy as text" }).click();
  await page.getByRole("button", { name: /^Session id/ }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied === session.session, "the id is copied");

  await page
    .getByRole("link", { name: before.slice(0, 12) })
    .first()
    .click();
  await page.waitForURL(`**/sessions/${before}`);
  await page.getByText("after login").waitFor();
  await page.getByText("It logged in as").waitFor();
}
