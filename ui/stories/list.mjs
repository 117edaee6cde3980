// Somebody tries passwords: filter by what a failed login is, narrow by a click, leave out by
// another, without a mouse where one is not needed, and send the page to a colleague.
import { BASE, eventually, expect } from "./browser.mjs";

export async function tell(page) {
  await page.goto(`${BASE}/sessions`);
  const rows = page.getByRole("grid", { name: "Sessions" }).getByRole("row");
  await rows.nth(2).waitFor();

  // Rows of the question before are dimmed until those of the new one are there.
  const settled = () => page.locator('[role="grid"][aria-busy="false"]').waitFor();

  // Typed, with completion.
  await page.keyboard.press("/");
  await page.keyboard.type("pat");
  await page.getByRole("option", { name: "path:" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type("/api/login status:401");
  await page.keyboard.press("Enter");
  await page.keyboard.type("errors>=10");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.waitForURL(/q=path/);
  await settled();
  await page.getByText("login×").first().waitFor();
  const all = await rows.count();
  expect(all > 1, "there are sessions with failed logins");

  // A click includes, alt-click leaves out.
  const client = rows
    .nth(1)
    .getByRole("link")
    .filter({ hasText: /\d+\.\d+|:/ })
    .nth(1);
  const address = await client.innerText();
  await client.click({ modifiers: ["Alt"] });
  await page.getByRole("button", { name: `Remove -ip:${address}` }).waitFor();
  await page.getByRole("button", { name: `Remove -ip:${address}` }).click();
  await settled();

  // Rows by keys, and what is chosen is in the URL.
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.waitForURL(/at=[0-9a-f]{32}/);
  const link = page.url();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}$/);
  await page.getByRole("heading", { name: "In words" }).waitFor();
  await page.getByRole("region", { name: "What happened" }).getByText("401").first().waitFor();
  await page.keyboard.press("]");
  await page.keyboard.press("[");
  await page.keyboard.press("Escape");
  await page.waitForURL(link);

  // No match is not an error, an error is not empty, and each says what helps.
  await page.goto(`${BASE}/sessions?q=user:nobody-of-that-name`);
  await page.getByRole("heading", { name: "No session matches" }).waitFor();
  await page.getByRole("button", { name: "Without user:nobody-of-that-name" }).click();
  await rows.nth(2).waitFor();
  await page.goto(`${BASE}/sessions?q=usr:dana`);
  await page.getByRole("alert").getByText("did you mean").waitFor();
  await page.goto(`${BASE}/sessions/${"0".repeat(32)}`);
  await page.getByRole("alert").waitFor();

  // A view is saved and found again.
  await page.goto(`${BASE}/sessions?q=has:error&last=all`);
  await page.getByRole("button", { name: "Saved views" }).click();
  await page.getByLabel("Name of this view").fill("with errors");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.goto(`${BASE}/endpoints`);
  await page.getByRole("button", { name: "Saved views" }).click();
  await page.getByRole("link", { name: "with errors" }).click();
  await page.waitForURL(/q=has/);

  // The order, the columns and the help.
  await page.goto(`${BASE}/sessions`);
  await page.getByRole("button", { name: "Errors" }).click();
  await page.waitForURL(/sort=errors/);
  await eventually("the most errors are first", async () => {
    const cells = await rows.nth(1).getByRole("gridcell").allInnerTexts();
    return Number(cells[6]?.replaceAll(",", "")) > 20;
  });
  await page.getByRole("button", { name: "Choose columns" }).click();
  await page.getByLabel("Visits").check();
  await page.getByRole("columnheader", { name: "Visits" }).waitFor();
  await page.getByRole("button", { name: "The usual ones" }).click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys and filters" }).waitFor();
  await page.keyboard.press("Escape");
}
