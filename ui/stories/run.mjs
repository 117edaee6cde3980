// Tells every story to a real Chromium, one after the other, against the service at $BASE. Also
// looks at every page with axe in both themes and, with $UPDATE_IMAGES, draws docs/images.
import { measure } from "./bench.mjs";
import { open } from "./browser.mjs";
import { lookAtAll } from "./pages.mjs";
import * as backtest from "./backtest.mjs";
import * as books from "./books.mjs";
import * as connect from "./connect.mjs";
import * as described from "./described.mjs";
import * as follow from "./follow.mjs";
import * as list from "./list.mjs";
import * as notes from "./notes.mjs";
import * as setup from "./setup.mjs";
import * as slow from "./slow.mjs";
import * as signIn from "./sign_in.mjs";
import * as stuffer from "./stuffer.mjs";
import * as tour from "./tour.mjs";

// `connect` is first: it waits for the first record that there ever was.
const ALL = {
  connect,
  list,
  follow,
  notes,
  slow,
  tour,
  described,
  backtest,
  stuffer,
  setup,
  books,
  signIn,
};

// The benchmark needs traffic, and no story about it.
const TOLD =
  process.env.BENCH_UI === undefined ? { ...ALL, pages: { tell: lookAtAll } } : { connect };

const browser = await open();
let failed = 0;
for (const [name, { tell }] of Object.entries(TOLD)) {
  const began = Date.now();
  const problem = await browser.tell(tell);
  const took = `${((Date.now() - began) / 1000).toFixed(1)} s`;
  process.stdout.write(`stories: ${problem ? "FAILED" : "ok"} ${name} (${took})\n`);
  if (problem) {
    failed += 1;
    process.stdout.write(`${problem}\n`);
  }
}
if (process.env.BENCH_UI !== undefined) {
  process.stdout.write(`${await measure(browser.chromium)}\n`);
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
