// Is everything there? The books of every worker, held against Envoy's own counter.
import { ask, BASE, expect } from "./browser.mjs";

export async function tell(page) {
  await page.goto(`${BASE}/system`);
  await page.getByText("✓ the books balance").waitFor();
  await page.getByText("0 requests that no filter saw").waitFor();
  const workers = page.getByRole("region", { name: "Filter workers" }).getByRole("row");
  const { workers: known } = await ask("/v1/status");
  expect((await workers.count()) === known.length + 1, "every worker has a row");
  await page.getByRole("region", { name: "Envoys" }).getByText("● answers").first().waitFor();
}
