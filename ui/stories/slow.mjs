// Which endpoint is slow, and whom did it hurt? From the table to the sessions, to the very requests.
import { BASE, expect } from "./browser.mjs";

export async function tell(page) {
  await page.goto(`${BASE}/endpoints?last=all`);
  const table = page.getByRole("grid", { name: "Endpoints" });
  await table.getByRole("button", { name: "p95" }).click();
  await page.waitForURL(/sort=p95/);
  const row = table.getByRole("row").nth(1);
  const endpoint = (await row.getByRole("gridcell").first().innerText()).trim();
  await row.getByRole("gridcell").first().click();
  await page.waitForURL(/\/endpoints\/[0-9a-f]{16}/);
  await page.getByRole("img", { name: "Latency percentiles over time" }).waitFor();
  const waited = page.getByRole("region", { name: "Sessions that had to wait" }).first();
  await waited.getByRole("row").nth(1).waitFor();
  await waited.getByRole("link", { name: "All of them" }).click();

  // The sessions that it hurt: the filter says it.
  await page.waitForURL(/\/sessions\?.*took/);
  await page.getByRole("button", { name: /^Remove took>=\d+ms/ }).waitFor();
  const sessions = page.getByRole("grid", { name: "Sessions" });
  await sessions.getByRole("row").nth(1).click();
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}/);
  const requests = page.getByRole("grid", { name: "Requests" });
  await requests.getByRole("row").nth(1).waitFor();
  const [method] = endpoint.split(" ");
  expect((await requests.getByText(method, { exact: true }).count()) > 0, `${endpoint} is there`);

  // Where do people go from there, and where do visits end?
  await page.goto(`${BASE}/endpoints/flow?last=all`);
  const words = page.getByRole("complementary", { name: "The flow in words" });
  await words.getByRole("heading", { name: "They end at" }).waitFor();
  await words.getByRole("button", { name: /→/ }).first().click();
  await words.getByText("of what follows").waitFor();
  await page.keyboard.press("Escape");
  await words.getByRole("heading", { name: "They begin at" }).waitFor();

  // How many get to the end of what they came for?
  await page.getByRole("link", { name: "Funnels" }).click();
  const funnel = page.getByRole("region", { name: "Where visits of purchase stop" });
  await funnel.getByText("stopped here").first().waitFor();
}
