// Who starts the service opens its address, sees how to connect an Envoy, and that it worked.
import { ask, BASE, eventually, expect } from "./browser.mjs";
import { buyer } from "./follow.mjs";

export async function tell(page) {
  await page.goto(BASE);
  await page.waitForURL("**/system/connect");
  await page.getByRole("heading", { name: "Connect an Envoy" }).waitFor();
  const steps = await page.locator("pre").allInnerTexts();
  expect(steps.join("\n").includes("THROUGHLINE_SESSION_SECRET"), "the secrets are named");
  process.stdout.write("stories: send traffic\n");
  await page.getByText("The first records are here").waitFor();
  await page.getByRole("link", { name: "See the sessions" }).click();
  await page.waitForURL("**/sessions");
  await page.getByRole("row").nth(2).waitFor();
  // The other stories are about what people did, so let them: a slow machine needs a second round.
  const enough = async () => {
    const { items } = await ask("/v1/sessions?limit=200");
    return items.length >= 150 && (await buyer());
  };
  for (let round = 0; round < 3; round += 1) {
    if (await eventually("enough sessions", enough, 25_000).catch(() => null)) return;
    process.stdout.write("stories: send traffic\n");
  }
  expect(false, "enough sessions, and somebody who bought something after a login");
}
