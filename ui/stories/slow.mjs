// Which endpoint is slow, and whom did it hurt? From the table to the sessions, to the very requests.
import { ask, BASE, expect } from "./browser.mjs";

export async function tell(page) {
  await page.goto(`${BASE}/endpoints?last=all`);
  const table = page.getByRole("grid", { name: "Endpoints" });
  await table.getByRole("button", { name: "p95" }).click();
  await page.waitForURL(/sort=p95/);
  await table.getByRole("row").nth(1).getByRole("gridcell").first().click();
  await page.waitForURL(/\/endpoints\/[0-9a-f]{16}/);
  await page.getByRole("img", { name: "Latency percentiles over time" }).waitFor();
  const waited = page.getByRole("region", { name: "Sessions that had to wait" }).first();
  await waited.getByRole("row").nth(1).waitFor();
  await waited.getByRole("link", { name: "All of them" }).click();

  // The sessions that it hurt: the filter says it.
  await page.waitForURL(/\/sessions\?.*took/);
  const word = (name) => page.getByRole("button", { name }).getAttribute("aria-label");
  const [, method] = (await word(/^Remove endpoint:/)).match(/endpoint:"(\w+) /);
  const [, leastMs] = (await word(/^Remove took>=\d+ms/)).match(/took>=(\d+)ms/);
  const sessions = page.getByRole("grid", { name: "Sessions" });
  await sessions.getByRole("row").nth(1).click();
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}/);
  await page.getByRole("grid", { name: "Requests" }).getByRole("row").nth(1).waitFor();
  // Asked of the API: the table has only those on the screen in the page, and this may be below.
  const [id] = page.url().match(/[0-9a-f]{32}/);
  const isIt = (one) => one.method === method && one.duration_us >= leastMs * 1000;
  let told = await ask(`/v1/sessions/${id}/requests`);
  while (!told.items.some(isIt)) {
    expect(told.next !== null, `${id} has a ${method} of ${leastMs} ms`);
    told = await ask(`/v1/sessions/${id}/requests?cursor=${encodeURIComponent(told.next)}`);
  }

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
