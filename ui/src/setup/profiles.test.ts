import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { profileOf, profilesIn, setField } from "./profiles";

const POLICY = `fallback: ip # as agreed
detection:
  - applications: [shop]
    sensitivity: high
  - sensitivity: low
`;

test.each([
  ["shop", 0],
  ["other", 1],
])("the profile of %s", (application, expected) => {
  expect(profileOf(profilesIn(parseDocument(POLICY)), application)).toBe(expected);
});

test("a field is set where it holds, and what a person wrote stays", () => {
  const document = parseDocument(POLICY);
  setField(document, "shop", "off", ["scraping"]);
  setField(document, "other", "sensitivity", null);
  expect(document.toString({ flowCollectionPadding: false })).toBe(`fallback: ip # as agreed
detection:
  - applications: [shop]
    sensitivity: high
    off: [scraping]
  - {}
`);
});

test("a profile is made for an application that has none", () => {
  for (const text of ["fallback: ip\n", "detection: []\n", "detection:\n  - applications: [a]\n"]) {
    const document = parseDocument(text);
    setField(document, "shop", "exceptions", [{ user: "dana" }]);
    const profiles = profilesIn(document);
    expect(profiles[profileOf(profiles, "shop")]).toEqual({
      applications: ["shop"],
      exceptions: [{ user: "dana" }],
    });
  }
});
