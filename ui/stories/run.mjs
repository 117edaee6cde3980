// Tells every story to a real Chromium, one after the other, against the service at $BASE. Also
// looks at every page with axe in both themes and, with $UPDATE_IMAGES, draws docs/images.
import { open } from "./browser.mjs";
import { lookAtAll } from "./pages.mjs";
import * as books from "./books.mjs";
import * as connect from "./connect.mjs";
import * as follow from "./follow.mjs";
import * as list from "./list.mjs";
import * as setup from "./setup.mjs";
import * as signIn from "./sign_in.mjs";

// `connect` is first: it waits for the first record that there ever was.
const ALL = { connect, list, follow, setup, books, signIn };

const browser = await open();
let failed = 0;
for (const [name, { tell }] of Object.entries({ ...ALL, pages: { tell: lookAtAll } })) {
  const began = Date.now();
  const problem = await browser.tell(tell);
  const took = `${((Date.now() - began) / 1000).toFixed(1)} s`;
  process.stdout.write(`stories: ${problem ? "FAILED" : "ok"} ${name} (${took})\n`);
  if (problem) {
    failed += 1;
    process.stderr.write(`${problem}\n`);
  }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
