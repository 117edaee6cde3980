// The API's own document beside what is asked for: what it lacks, and what nobody needs.
import { agree, ask, BASE, eventually, expect } from "./browser.mjs";

/** A document of the endpoints that were learnt, without one of them, and with one that is not. */
async function document(application) {
  const { items } = await ask(`/v1/endpoints?q=app:${application}&limit=500`);
  const described = items.filter(({ endpoint }) => /^[A-Z]+ \/(api.*)?$/.test(endpoint));
  const left = described.filter(({ endpoint }) => endpoint !== "POST /api/login");
  expect(left.length < described.length, "people log in");
  const paths = {};
  for (const { endpoint } of left) {
    const [method, path] = endpoint.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: {} };
  }
  paths["/api/coupons/{code}"] = { delete: {} };
  return { openapi: "3.1.0", info: { title: "Shop", version: "2.3.0" }, paths };
}

export async function tell(page) {
  const { items } = await ask("/v1/applications");
  const { application } = items[0];
  await page.goto(`${BASE}/endpoints?last=all`);
  await page.getByRole("grid", { name: "Endpoints" }).getByRole("row").nth(2).waitFor();
  await page.getByRole("button", { name: "OpenAPI…" }).click();
  const dialog = page.getByRole("dialog");
  const upload = (text) =>
    dialog
      .getByLabel("Document")
      .setInputFiles({ name: "openapi.json", mimeType: "application/json", buffer: text });

  // What cannot be used is refused with its place, and the dialog stays.
  await upload(Buffer.from('{"openapi": "3.1.0", "paths": {}}'));
  await agree(page, "Upload");
  await dialog.getByRole("alert").getByText("there is no operation").waitFor();
  await upload(Buffer.from(JSON.stringify(await document(application))));
  await dialog.getByRole("button", { name: "Upload" }).click();
  await dialog.waitFor({ state: "detached" });

  const which = page.getByLabel("Which endpoints");
  const rows = page.getByRole("grid", { name: "Endpoints" }).getByRole("row");
  await which.selectOption("Unused");
  await page.waitForURL(/mark=unused/);
  await rows.filter({ hasText: "/api/coupons/{code}" }).getByText("unused").waitFor();
  await which.selectOption("Not documented");
  await rows.filter({ hasText: "POST /api/login" }).getByText("not documented").waitFor();
  await which.selectOption("New");
  await page.getByRole("heading", { name: "No endpoint is new" }).waitFor();
  await page.getByRole("button", { name: "All endpoints" }).click();
  await eventually("all are back", async () => (await rows.count()) > 5);
}
