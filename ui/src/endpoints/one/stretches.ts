// The time of a chart in parts that are asked for one by one.

export interface Stretch {
  start: string;
  end: string;
}

/** Stretches of equal length from where requests begin to where they end. */
export function stretches(starts: string[], widthS: number, most: number): Stretch[] {
  const first = Date.parse(starts[0] ?? "");
  const end = Date.parse(starts.at(-1) ?? "") + widthS * 1000;
  if (Number.isNaN(first) || end <= first) return [];
  const many = Math.min(most, starts.length);
  const step = (end - first) / many;
  const time = (at: number) => new Date(Math.round(first + at * step)).toISOString();
  return Array.from({ length: many }, (_, at) => ({ start: time(at), end: time(at + 1) }));
}
