import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const SERVER = process.env.STEPWELL_SERVER ?? "http://127.0.0.1:8420";

/** What the server puts into index.html for each answer; `vite dev` has to do it itself. */
function placeholders(): Plugin {
  let building = false;
  return {
    name: "stepwell-placeholders",
    configResolved(config) {
      building = config.command === "build";
    },
    transformIndexHtml: {
      order: "post",
      handler: (html) =>
        building
          ? html.replaceAll(/(["'])\.\/(assets\/|favicon)/g, "$1__BASE__/$2")
          : html.replaceAll(/__[A-Z_]+__/g, ""),
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), placeholders()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist",
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: { "/api": { target: SERVER, changeOrigin: true, headers: { origin: SERVER } } },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
