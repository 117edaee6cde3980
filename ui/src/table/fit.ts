// Which columns have room: nothing is cut off or scrolled sideways, the least important go first.

export interface Fitting {
  id: string;
  /** Least width, pixels. */
  min: number;
  /** 1 stays longest. */
  priority: number;
}

/** The ids that fit into `width` pixels; the most important one always does. */
export function fitting(columns: Fitting[], width: number): Set<string> {
  const kept = new Set<string>();
  let used = 0;
  for (const { id, min } of [...columns].sort((one, other) => one.priority - other.priority)) {
    if (kept.size > 0 && used + min > width) break;
    kept.add(id);
    used += min;
  }
  return kept;
}
