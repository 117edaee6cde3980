import { expect, test } from "vitest";
import { command, exportUrl } from "./exportWords";

test("a filter is written so that URLs and shells take it", () => {
  const wanted = { list: "requests", format: "csv", q: `user:"o'neil" last:24h` } as const;
  expect(exportUrl(wanted)).toBe(
    "/v1/export/requests?format=csv&q=user%3A%22o%27neil%22+last%3A24h",
  );
  expect(command(wanted)).toBe(
    `throughline export --what requests --where 'user:"o'\\''neil" last:24h' --format csv --output requests.csv`,
  );
});

test("without a filter everything is asked for", () => {
  const wanted = { list: "bots", format: "parquet", q: undefined } as const;
  expect(exportUrl(wanted)).toBe("/v1/export/bots?format=parquet");
  expect(command(wanted)).toBe(
    "throughline export --what bots --format parquet --output bots.parquet",
  );
});
