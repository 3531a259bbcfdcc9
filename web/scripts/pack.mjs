// Lays each built file beside itself packed, so that the server need not pack anything.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const WORTH_IT = 1024;
const TEXT = /\.(js|css|svg|json|map|txt|webmanifest)$/;

const files = readdirSync("dist", { recursive: true }).filter((name) => TEXT.test(name));
for (const name of files) {
  const path = join("dist", name);
  const text = readFileSync(path);
  if (text.length < WORTH_IT) continue;
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 10 };
  writeFileSync(`${path}.br`, brotliCompressSync(text, { params }));
}
