// What a session did, in words: runs of like steps, rounds of repeating ones, and pauses.
import { stepName } from "./endpoint";
import { micros } from "./time";

export interface Asked {
  start: string;
  method?: string | null | undefined;
  path?: string | null | undefined;
  status?: number | null | undefined;
}

export type Outcome = "ok" | "refused" | "failed" | "none";

/** Like requests in a row. */
export interface Run {
  kind: "run";
  name: string;
  method: string;
  outcome: Outcome;
  /** Set where it says more than the outcome: errors. */
  status: number | null;
  count: number;
  /** Places of its requests in the list. */
  first: number;
  last: number;
}
/** Runs that come again and again in the same order. */
export interface Round {
  kind: "round";
  runs: Run[];
  count: number;
  first: number;
  last: number;
}
export interface Pause {
  kind: "pause";
  ms: number;
}
export type Step = Run | Round | Pause;

/** Shorter pauses are people reading. */
const PAUSE_MS_MIN = 30_000;
const ROUND_RUNS_MAX = 4;

export function outcome(status: number | null | undefined): Outcome {
  if (status === null || status === undefined || status === 0) return "none";
  if (status >= 500) return "failed";
  return status >= 400 ? "refused" : "ok";
}

/** Steps of the requests, which must be in order. */
export function sequence(requests: Asked[]): Step[] {
  const steps: Step[] = [];
  let runs: Run[] = [];
  requests.forEach((request, index) => {
    const before = requests[index - 1];
    const ms = before ? (micros(request.start) - micros(before.start)) / 1000 : 0;
    if (ms >= PAUSE_MS_MIN) {
      steps.push(...rounds(runs), { kind: "pause", ms });
      runs = [];
    }
    add(runs, request, index);
  });
  steps.push(...rounds(runs));
  return steps;
}

function add(runs: Run[], request: Asked, index: number) {
  const name = stepName(request.path);
  const method = request.method ?? "";
  const came = outcome(request.status);
  const status = came === "ok" ? null : (request.status ?? null);
  const last = runs.at(-1);
  const same =
    last?.name === name &&
    last.status === status &&
    last.outcome === came &&
    (name === "files" || last.method === method);
  if (last && same) {
    last.count += 1;
    last.last = index;
  } else {
    runs.push({
      kind: "run",
      name,
      method,
      outcome: came,
      status,
      count: 1,
      first: index,
      last: index,
    });
  }
}

const alike = (one: Run | undefined, other: Run | undefined) =>
  one !== undefined &&
  one.name === other?.name &&
  one.method === other.method &&
  one.status === other.status &&
  one.outcome === other.outcome;

/** How often the `width` runs at `at` come in a row. */
function repeats(runs: Run[], at: number, width: number): number {
  let times = 1;
  const isAgain = () =>
    Array.from({ length: width }, (_, offset) => offset).every((offset) =>
      alike(runs[at + offset], runs[at + times * width + offset]),
    );
  while (at + (times + 1) * width <= runs.length && isAgain()) times += 1;
  return times;
}

/** Joins what repeats: the shortest round that covers most. */
function rounds(runs: Run[]): (Run | Round)[] {
  const steps: (Run | Round)[] = [];
  let at = 0;
  while (at < runs.length) {
    let best = { width: 1, times: 1 };
    for (let width = 2; width <= ROUND_RUNS_MAX; width += 1) {
      const times = repeats(runs, at, width);
      if (times > 1 && times * width > best.times * best.width) best = { width, times };
    }
    const part = runs.slice(at, at + best.width);
    const final = runs[at + best.width * best.times - 1];
    if (best.times > 1 && part[0] && final) {
      steps.push({
        kind: "round",
        runs: part,
        count: best.times,
        first: part[0].first,
        last: final.last,
      });
    } else if (part[0]) {
      steps.push(part[0]);
    }
    at += best.width * best.times;
  }
  return steps;
}
