// Writes `.br` and `.gz` beside every text file of dist, so that the service compresses nothing
// while it answers, and says what the first load costs.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const TEXT = /\.(js|css|html|svg)$/;
const FIRST_LOAD_KIB_MAX = 150;

const dist = new URL("../dist", import.meta.url).pathname;
const files = readdirSync(dist, { recursive: true })
  .map((name) => join(dist, String(name)))
  .filter((path) => statSync(path).isFile() && TEXT.test(path));
for (const path of files) {
  const text = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text));
}

// What index.html names is loaded before anything is seen.
const page = readFileSync(join(dist, "index.html"), "utf8");
const scripts = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(
  (match) => match[1],
);
const bytes = scripts.reduce((sum, name) => sum + statSync(join(dist, `${name}.gz`)).size, 0);
const kib = (bytes / 1024).toFixed(1);
process.stdout.write(`ui: first load ${kib} KiB of script (gzip), ${files.length} files\n`);
if (bytes > FIRST_LOAD_KIB_MAX * 1024) {
  process.stderr.write(`ui: at most ${FIRST_LOAD_KIB_MAX} KiB are wanted: load a page lazily\n`);
  process.exit(1);
}
