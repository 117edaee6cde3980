// What the API says when it cannot answer (RFC 9457), as an error that pages can show.
import type { Problem } from "./schema";

export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
  /** The last word of the type, which does not change between releases. */
  get word(): string {
    return this.problem.type.split(":").pop() ?? "";
  }
}

/** The service did not answer at all. */
export const UNREACHABLE: Problem = {
  type: "urn:throughline:problem:unreachable",
  title: "The service does not answer",
  status: 0,
  detail: "The page is still here, the aggregator behind it is not.",
  remedy: "Check that `throughline serve` runs; this page goes on by itself when it is back.",
};

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  return {
    ...UNREACHABLE,
    title: "This page failed",
    status: 0,
    detail: String(error),
    remedy: "Load the page again.",
  };
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "title" in value && "detail" in value;
}
