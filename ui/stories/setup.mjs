// A key rule as a candidate: what would it change, make it the policy, see that it did, go back.
import { agree, ask, BASE, eventually, expect } from "./browser.mjs";

const RULE = `keys:
  - name: device
    from: {header: x-device-id}
`;

export async function tell(page) {
  await page.goto(`${BASE}/setup`);
  const text = page.getByLabel("The policy, as YAML");
  await text.waitFor();
  const before = await text.inputValue();

  // What is no YAML, and what is no policy, has a line.
  await text.fill(before.replace("keys:", "keys: ["));
  await page.getByText(/^Line \d+:/).waitFor();
  await text.fill(before.replace("cookie: sid", "cooky: sid"));
  await page.getByText(/Line \d+: keys\[2\]\.from\.cooky: .* did you mean cookie\?/).waitFor();
  // What only the service can tell stands at its line too.
  await text.fill(before.replace("name: session_cookie", "name: login_token"));
  await page.getByRole("button", { name: "Make it the policy…" }).click();
  await agree(page, "Make it the policy");
  await page.getByText(/Line \d+: keys\[2\]\.name: `login_token` is taken/).waitFor();

  // What may stand somewhere is offered.
  await text.fill(`${before}body`);
  await text.press("Control+Space");
  await page.getByRole("option", { name: /body_bytes/ }).waitFor();
  await text.press("Enter");
  expect((await text.inputValue()).endsWith("body_bytes: "), "the field is completed");

  // Tried for everyone, while there is traffic.
  await text.fill(before.replace("keys:\n", RULE));
  await page.getByRole("button", { name: "Try it beside the policy…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("device");
  await dialog.getByLabel("Share of the clients, %").fill("100");
  await agree(page, "Try it");
  await page.waitForURL("**/setup/candidates");
  process.stdout.write("stories: send traffic\n");
  const card = page.getByRole("region", { name: "Candidate device" });
  await card.getByText(/sessions would have been about/).waitFor();
  await card.getByRole("row", { name: /^device 0 %/ }).waitFor();

  // It becomes the policy, and sessions are found by it.
  await card.getByRole("button", { name: "Make it the policy…" }).click();
  await dialog.getByText("from: {header: x-device-id}").waitFor();
  await agree(page, "Make it the policy");
  process.stdout.write("stories: send traffic\n");
  await eventually("a session found by the new rule", async () => {
    const { items } = await ask("/v1/sessions?q=key:device&limit=1");
    return items.length > 0;
  });
  await page.goto(`${BASE}/sessions?q=key:device`);
  await page.getByRole("grid").getByRole("row").nth(1).waitFor();

  // Looked at, and taken back.
  await page.goto(`${BASE}/setup/versions`);
  await page.getByRole("region", { name: "Version 2" }).getByText("in use").waitFor();
  await page.getByRole("rowheader", { name: "keys[device]" }).first().waitFor();
  await page.getByRole("button", { name: "Go back to it…" }).click();
  await agree(page, "Go back to it");
  await page.getByRole("region", { name: "Version 3" }).getByText("version 1 again").waitFor();
  const { policy } = await ask("/v1/policy");
  expect(
    policy.keys.every(({ name }) => name !== "device"),
    "the rule is gone again",
  );

  // The key finder proposes; a proposal lands in the text.
  await page.goto(`${BASE}/setup/keys`);
  await page.getByRole("button", { name: "Look for keys…" }).click();
  await dialog.getByLabel("Share of the clients, %").fill("100");
  await agree(page, "Look");
  process.stdout.write("stories: send traffic\n");
  const proposal = page.getByRole("region", { name: /Proposal cookie:sid/ });
  await proposal.getByRole("button", { name: "Add to the policy" }).click();
  await page.waitForURL("**/setup/policy");
  expect((await text.inputValue()).includes("cookie_sid"), "the proposal is in the text");
  await page.getByRole("button", { name: "Take back my changes" }).click();

  // Whom to leave alone, without writing YAML.
  await page.goto(`${BASE}/setup/detection`);
  const shop = page.getByRole("region", { name: "shop", exact: true });
  await shop.getByLabel("Value").fill("203.0.113.0/24");
  await shop.getByLabel("Note").fill("our monitoring");
  await shop.getByRole("button", { name: "Add", exact: true }).click();
  await shop.getByRole("button", { name: "Remove 203.0.113.0/24" }).waitFor();
  await page.getByRole("link", { name: "See it and make it the policy" }).click();
  await page.waitForURL("**/setup/policy");
  expect((await text.inputValue()).includes("network: 203.0.113.0/24"), "it is in the text");
  await page.getByRole("button", { name: "Take back my changes" }).click();
}
