// Where a key rule finds its value, so that the mark stands on the right side of an exchange.

export interface KeyPlace {
  side: "request" | "answer";
  /** `cookie sid`, `json /token`, one per place of a composite rule. */
  places: string[];
}

/** The built-in rules have no entry in the policy; their values are in the request. */
export function keyPlace(policy: unknown, rule: string): KeyPlace | null {
  const rules = field(policy, "keys");
  const found: unknown = Array.isArray(rules)
    ? rules.find((one: unknown) => field(one, "name") === rule)
    : null;
  const from = field(found, "from");
  if (from === undefined) return null;
  const list: unknown[] = Array.isArray(from) ? from : [from];
  const isAnswer = list.some((place) => field(place, "response") !== undefined);
  return { side: isAnswer ? "answer" : "request", places: list.map(placeText) };
}

/** `{response: {json: /token}}` → `json /token`. */
function placeText(place: unknown): string {
  const inner = field(place, "response");
  if (inner !== undefined) return placeText(inner);
  if (typeof place !== "object" || place === null) return "";
  const [name, value] = Object.entries(place).find(([key]) => key !== "decode") ?? ["", null];
  if (typeof value === "string") return `${name} ${value}`;
  const told = Object.values(value ?? {}).filter((part) => typeof part === "string");
  return [name, ...told].join(" ");
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}
