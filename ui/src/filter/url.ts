// The list's state in its URL, and what it asks of the API.
import type { paths } from "../api/schema";
import { saysWhen, split } from "./words";

export type SessionQuery = NonNullable<paths["/v1/sessions"]["get"]["parameters"]["query"]>;

export const RANGES = [
  ["15m", "Last 15 min"],
  ["1h", "Last hour"],
  ["24h", "Last 24 h"],
  ["7d", "Last 7 days"],
  ["all", "All time"],
] as const;

/** How far back when the URL does not say. */
export const RANGE = "24h";

export interface ListState {
  words: string[];
  /** One of `RANGES`. */
  last: string;
  /** `errors`, or `-errors` for the fewest first. */
  sort: string;
}

export function listState(query: URLSearchParams): ListState {
  return {
    words: split(query.get("q") ?? ""),
    last: query.get("last") ?? RANGE,
    sort: query.get("sort") ?? "last",
  };
}

export function sessionsUrl({ words, last, sort }: ListState): string {
  const query = new URLSearchParams();
  if (words.length > 0) query.set("q", words.join(" "));
  if (last !== RANGE) query.set("last", last);
  if (sort !== "last") query.set("sort", sort);
  const text = query.toString();
  return text === "" ? "/sessions" : `/sessions?${text}`;
}

/** What the list asks: its words, and its range unless they say when. */
export function asked({ words, last, sort }: ListState): SessionQuery {
  const range = last === "all" || saysWhen(words) ? [] : [`last:${last === "7d" ? "168h" : last}`];
  const q = [...words, ...range].join(" ");
  return {
    ...(q !== "" && { q }),
    ...(sort !== "last" && { sort: sort.replace("-", "") }),
    ...(sort.startsWith("-") && { order: "asc" }),
  };
}
