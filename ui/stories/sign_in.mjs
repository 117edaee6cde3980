// A service with a read token asks for it, says when it is wrong, and lets one in when it is right.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, expect } from "./browser.mjs";

const TOKEN = "a-read-token-of-the-story";

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export async function tell(page) {
  const folder = mkdtempSync(join(tmpdir(), "throughline-ui-"));
  const listen = `127.0.0.1:${await freePort()}`;
  const service = spawn(
    process.env.THROUGHLINE ?? "throughline",
    ["serve", "--listen", listen, "--data", folder],
    {
      stdio: "ignore",
      env: {
        ...process.env,
        THROUGHLINE_INGEST_TOKEN: "an-ingest-token-of-the-story",
        THROUGHLINE_READ_TOKEN: TOKEN,
      },
    },
  );
  try {
    const ready = () =>
      fetch(`http://${listen}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually("a service with a read token", ready);
    await page.goto(`http://${listen}/sessions`);
    const field = page.getByLabel("Read token");
    await field.fill("something else, and wrong");
    await page.keyboard.press("Enter");
    await page.getByText("is no read token of this service").waitFor();
    await field.fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No request has been recorded yet" }).waitFor();
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length]);
    expect(kept[0] === 0 && kept[1] === 1, `the token is kept for this tab only: ${kept}`);
  } finally {
    const ended = new Promise((resolve) => service.once("exit", resolve));
    service.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
