// The JavaScript that the first page loads, gzipped, against the budget of the screens.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 350 * 1024;
const html = readFileSync("dist/index.html", "utf8");
const seen = new Set();
const size = (name) => {
  if (seen.has(name)) return 0;
  seen.add(name);
  const text = readFileSync(`dist/assets/${name}`);
  // Static imports of a chunk are loaded with it.
  const own = gzipSync(text).length;
  const more = [...text.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)];
  return own + more.reduce((sum, [, file]) => sum + size(file), 0);
};
const entries = [...html.matchAll(/assets\/([^"']+\.js)/g)].map(([, file]) => file);
const total = entries.reduce((sum, file) => sum + size(file), 0);
process.stdout.write(`first load: ${(total / 1024).toFixed(1)} KiB gzip in ${seen.size} files\n`);
if (total > BUDGET) {
  process.stdout.write(`over the budget of ${BUDGET / 1024} KiB\n`);
  process.exit(1);
}
