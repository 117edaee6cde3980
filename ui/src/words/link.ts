// How sessions are linked, in words.

/** What a request carried by which the other session is known; a short name for tables. */
const NAMES: Record<string, string> = {
  login: "login",
  refresh: "renewal",
  both: "both keys at once",
  policy_change: "change of the policy",
};

/** `policy_change` → `change of the policy`. */
export function linkName(kind: string): string {
  return NAMES[kind] ?? kind.replaceAll("_", " ");
}

/** Why a session belongs to this one, and over how many links: `by a login, 2 links away`. */
export function relation(via: string, distance: number): string {
  if (via === "user") return "the same user";
  const by = `by ${/^(login|renewal|change)/.test(linkName(via)) ? "a " : ""}${linkName(via)}`;
  return distance === 1 ? by : `${by}, ${distance} links away`;
}
