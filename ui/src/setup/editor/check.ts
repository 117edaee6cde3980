// Slips that the schema alone shows, while one types. What the policy means is the service's to check.
import { fieldsOf, ITEM, schemasAt, valuesOf, type Step } from "./schema";

export interface Slip {
  /** As the service names places: `keys[1].from`. */
  place: string;
  why: string;
}

/** The first field that is not known at its place, or value that is none of those allowed. */
export function slip(value: unknown, path: Step[] = [], place = ""): Slip | null {
  const here = schemasAt(path);
  if (here.length === 0) return null;
  if (Array.isArray(value)) {
    return first(value, (item, index) => slip(item, [...path, ITEM], `${place}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return wrongValue(value, path, place);
  const fields = fieldsOf(here);
  return first(Object.entries(value), ([name, inner]) => {
    const at = place === "" ? name : `${place}.${name}`;
    if (fields.has(name)) return slip(inner, [...path, name], at);
    if (fields.size === 0) return null;
    const near = nearest(name, [...fields.keys()]);
    const instead = near === null ? `one of ${[...fields.keys()].sort().join(", ")}` : near;
    return { place: at, why: `there is no "${name}" here; did you mean ${instead}?` };
  });
}

function wrongValue(value: unknown, path: Step[], place: string): Slip | null {
  const here = schemasAt(path);
  const values = valuesOf(here);
  const isOpen = here.some((schema) => valuesOf([schema]).length === 0);
  if (value === null || isOpen || values.includes(String(value))) return null;
  const near = nearest(String(value), values);
  const instead = near === null ? values.join(", ") : near;
  return { place, why: `"${String(value)}" is not known here; did you mean ${instead}?` };
}

function first<T>(list: T[], look: (one: T, index: number) => Slip | null): Slip | null {
  for (const [index, one] of list.entries()) {
    const found = look(one, index);
    if (found) return found;
  }
  return null;
}

/** The name that takes the fewest changes, if it takes few. */
function nearest(typed: string, names: string[]): string | null {
  const ranked = names
    .map((name) => ({ name, far: distance(typed, name) }))
    .sort((one, other) => one.far - other.far);
  const [best] = ranked;
  return best && best.far <= Math.max(2, typed.length / 3) ? best.name : null;
}

/** How many characters to add, leave out or change (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      const [left = 0, above = 0, corner = 0] = [next[j - 1], row[j], row[j - 1]];
      next.push(Math.min(left + 1, above + 1, corner + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
