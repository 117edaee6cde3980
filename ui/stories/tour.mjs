// Why not go by address? The tour shows it on the service's own figures, from the first page to a verdict
// that waits for one's word; it is in the URL, and gone when one ends it.
import { ask, BASE, eventually, expect } from "./browser.mjs";

/** The address of tests/browser's crowd. */
const ADDRESS = "203.0.113.7";

export async function tell(page) {
  process.stdout.write("stories: send a crowd\n");
  await eventually("the crowd is there, and somebody in it is held for a bot", async () => {
    const q = encodeURIComponent(`ip:${ADDRESS} -key:ip`);
    const { items } = await ask(`/v1/sources?q=${q}&limit=100`);
    return items.find((it) => it.source === ADDRESS && it.bots > 0 && it.sessions > 20);
  });

  await page.goto(`${BASE}/sessions`);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Tour" }).click();
  await page.waitForURL(/tour=1/);
  const tour = page.getByRole("complementary", { name: "Tour" });
  await tour.getByText(ADDRESS).first().waitFor();
  await tour.getByText(/would hit \d+ that are not held for bots/).waitFor();

  await next(tour, "The rule");
  await page.waitForURL(/\/setup\?tour=2/);
  await tour.getByText("session_cookie").waitFor();

  await next(tour, "After it");
  await page.waitForURL(/\/sessions\?.*tour=3/);
  await tour.getByText(/leaves the other \d+ alone/).waitFor();
  await page.getByRole("grid").getByText("account takeover").first().waitFor();

  await next(tour, "The evidence");
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}\?at=.*tour=4/);
  await tour
    .getByRole("link", { name: /POST \/api\/login/ })
    .first()
    .waitFor();

  // Where one is survives a reload, and the back key.
  await page.reload();
  await tour.getByText("4 of 5").waitFor();
  await next(tour, "Your word");
  await page.goBack();
  await tour.getByText("4 of 5").waitFor();
  await next(tour, "Your word");
  await page.getByRole("button", { name: "Confirm…" }).waitFor();
  await tour.getByText("Nobody has said anything of this verdict yet").waitFor();
  await tour.getByRole("button", { name: "Done" }).click();
  await tour.waitFor({ state: "detached" });
  expect(!page.url().includes("tour="), "the tour is out of the URL");

  await page.keyboard.press("?");
  await page.getByRole("dialog").getByRole("link", { name: "The tour" }).click();
  await page.waitForURL(/tour=1/);
  await tour.getByText("1 of 5").waitFor();
  await tour.getByRole("button", { name: "End the tour" }).click();
  await tour.waitFor({ state: "detached" });
}

async function next(tour, title) {
  await tour.getByRole("link", { name: `Next: ${title}` }).click();
  await tour.getByRole("heading", { name: title }).waitFor();
}
