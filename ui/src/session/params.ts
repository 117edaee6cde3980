import type { Exchange } from "../api/schema";

/** Names of all parameters, in the policy's order: each request lists its own in that order. */
export function paramNames(requests: Pick<Exchange, "params">[]): string[] {
  const names: string[] = [];
  for (const { params } of requests) {
    // From the back, so that each one not known yet finds what it stands before.
    let before = names.length;
    for (const { name } of [...params].reverse()) {
      const at = names.indexOf(name);
      if (at < 0) names.splice(before, 0, name);
      else before = at;
    }
  }
  return names;
}
