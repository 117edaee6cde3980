// Countries, by the names that the browser knows.
const NAMES = new Intl.DisplayNames("en", { type: "region" });

/** `DE` → `Germany`; what is no country stays as it is. */
export function countryName(code: string): string {
  try {
    return NAMES.of(code) ?? code;
  } catch {
    return code;
  }
}
