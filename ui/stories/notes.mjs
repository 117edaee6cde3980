// Somebody knows something about a session: says so, keeps it, and finds it again by it, as does
// everyone else; and lays it beside the one that it came from.
import { agree, ask, BASE, eventually, expect, page as newPage } from "./browser.mjs";
import { buyer } from "./follow.mjs";

export async function tell(page, browser) {
  const { session, before } = await buyer();
  const id = session.session;
  await page.goto(`${BASE}/sessions/${id}`);
  await page.getByRole("button", { name: "Note…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Labels").fill("partner, asked Ann");
  await dialog.getByLabel("Note", { exact: true }).fill("Buys for the whole team.");
  await agree(page, "Keep it");
  const said = page.getByRole("region", { name: "What people say of it" });
  await said.getByText("Buys for the whole team.").waitFor();

  await page.getByRole("button", { name: "Pin…" }).click();
  await agree(page, "Pin");
  await said.getByText("Pinned").waitFor();
  const known = await ask(`/v1/sessions/${id}`);
  expect(known.pinned && known.note.author === "ben", "it is pinned, and Ben said so");

  // A label is a filter like any other value.
  await said.getByRole("link", { name: "partner" }).click();
  await page.waitForURL(/q=label/);
  const rows = page.getByRole("grid", { name: "Sessions" }).getByRole("row");
  await rows.nth(1).getByText("asked Ann").waitFor();
  expect((await rows.count()) === 2, "one session has the label");

  // The page is saved for everyone, and somebody else has it.
  await page.getByRole("button", { name: "Saved views" }).click();
  await page.getByLabel("Name of this view").fill("our partners");
  await page.getByRole("button", { name: "For everyone…" }).click();
  await agree(page, "Save it");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const other = await newPage(browser);
  await other.goto(`${BASE}/bots`);
  await other.getByRole("link", { name: "Sessions", exact: true }).click();
  await other.getByRole("button", { name: "Saved views" }).click();
  const shared = other.getByRole("region", { name: "For everyone" });
  await shared.getByRole("link", { name: "our partners" }).click();
  await other.waitForURL(/q=label/);
  expect(other.faults.length === 0, other.faults.join());
  await other.context().close();

  // Beside the session that it logged in from.
  await page.goto(`${BASE}/sessions/${id}`);
  await page.getByRole("link", { name: `Compare with ${before.slice(0, 12)}` }).click();
  await page.waitForURL(/compare/);
  await page.getByText(/linked by their traffic/).waitFor();
  await page
    .getByRole("region", { name: "From where" })
    .getByText(/^100.% shared$/)
    .waitFor();

  // What was done is in the audit log.
  await eventually("the audit log has it", async () => {
    const { items } = await ask("/v1/audit");
    const actions = items.map(({ action }) => action);
    return ["session_noted", "session_pinned", "view_saved"].every((it) => actions.includes(it));
  });
}
