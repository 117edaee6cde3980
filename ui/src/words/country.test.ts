import { expect, test } from "vitest";
import { countryName } from "./country";

test("a country has its name, anything else stays", () => {
  expect(countryName("DE")).toBe("Germany");
  expect(countryName("somewhere else")).toBe("somewhere else");
});
