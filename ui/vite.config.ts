import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` serves the pages and asks this aggregator for everything else.
const AGGREGATOR = process.env.AGGREGATOR ?? "http://127.0.0.1:8470";

export default defineConfig({
  plugins: [react()],
  build: {
    // The content security policy allows nothing inline.
    assetsInlineLimit: 0,
    target: "es2022",
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/v1": AGGREGATOR, "/readyz": AGGREGATOR, "/openapi.json": AGGREGATOR } },
  // Colours are read from the style sheets.
  test: { include: ["src/**/*.test.ts"], css: true },
});
