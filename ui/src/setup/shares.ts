// In how many of the requests that it is for a rule finds its value, over all live workers.
import type { Worker } from "../api/schema";

export interface RuleSum {
  name: string;
  kind: string;
  expected: number;
  found: number;
}

/** Sums over live workers, in the policy's order as workers list it. */
export function ruleSums(workers: Pick<Worker, "state" | "shares">[]): RuleSum[] {
  const sums = new Map<string, RuleSum>();
  for (const { state, shares } of workers) {
    if (state !== "live") continue;
    for (const { name, kind, expected, found } of shares) {
      const known = sums.get(`${kind} ${name}`) ?? { name, kind, expected: 0, found: 0 };
      known.expected += expected;
      known.found += found;
      sums.set(`${kind} ${name}`, known);
    }
  }
  return [...sums.values()];
}
