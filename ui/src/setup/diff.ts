// Which lines differ between two texts, for a look before a change.

export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
}

/** All lines of both, in order; texts of up to some thousand lines. */
export function diff(before: string, after: string): Line[] {
  const old = before.trimEnd().split("\n");
  const now = after.trimEnd().split("\n");
  const common = table(old, now);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [one, other] = [old[i], now[j]];
    if (one !== undefined && one === other) {
      lines.push({ kind: "same", text: one });
      i += 1;
      j += 1;
    } else if (
      other === undefined ||
      (one !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))
    ) {
      lines.push({ kind: "gone", text: one ?? "" });
      i += 1;
    } else {
      lines.push({ kind: "new", text: other });
      j += 1;
    }
  }
  return lines;
}

/** Same lines with at most `around` of them beside what differs; null where some are left out. */
export function hunks(lines: Line[], around = 2): (Line | null)[] {
  const near = lines.map((_, index) =>
    lines
      .slice(Math.max(0, index - around), index + around + 1)
      .some(({ kind }) => kind !== "same"),
  );
  const shown: (Line | null)[] = [];
  lines.forEach((line, index) => {
    if (near[index]) shown.push(line);
    else if (shown.at(-1) !== null) shown.push(null);
  });
  return shown;
}

/** Length of the longest common run of lines from each pair of places on. */
function table(old: string[], now: string[]): number[][] {
  const common = Array.from({ length: old.length + 1 }, () =>
    Array<number>(now.length + 1).fill(0),
  );
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const best = old[i] === now[j] ? at(common, i + 1, j + 1) + 1 : 0;
      const row = common[i];
      if (row) row[j] = Math.max(best, at(common, i + 1, j), at(common, i, j + 1));
    }
  }
  return common;
}

const at = (common: number[][], i: number, j: number) => common[i]?.[j] ?? 0;
