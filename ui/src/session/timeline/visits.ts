/** Room for `visit 12`, pixels. */
const NAME_PX = 52;

export interface VisitMark {
  /** From 1. */
  number: number;
  x: number;
  /** Whether there is room for its name. */
  isNamed: boolean;
}

/**
 * Where visits begin, of the latest of `all`: the first needs no mark, and what is `until` later is
 * not drawn.
 */
export function visitMarks(
  begins: number[],
  all: number,
  until: number,
  x: (at: number) => number,
): VisitMark[] {
  const sorted = [...begins].sort((one, other) => one - other);
  const before = all - sorted.length;
  let free = -Infinity;
  return sorted
    .map((at, index) => ({ number: before + index + 1, at }))
    .filter(({ number, at }) => number > 1 && at <= until)
    .map(({ number, at }) => {
      const place = x(at);
      const isNamed = place >= free;
      if (isNamed) free = place + NAME_PX;
      return { number, x: place, isNamed };
    });
}
