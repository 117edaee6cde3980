// What could be typed where the caret stands, by the policy's schema.
import { caretAt } from "./place";
import { about, fieldsOf, ITEM, schemasAt, valuesOf, type Schema } from "./schema";

export interface Offer {
  name: string;
  about: string;
  /** What takes the place of the last `replaces` characters before the caret. */
  insert: string;
  replaces: number;
}

const OFFERS_MAX = 10;

export function offersAt(text: string, offset: number): Offer[] {
  const { path, kind, typed } = caretAt(text, offset);
  const here = schemasAt(path);
  const fields: [string, Schema | null][] =
    kind === "field" ? [...fieldsOf(here)].sort(([a], [b]) => a.localeCompare(b)) : [];
  // A line that begins with a dash may hold a value as well.
  const isItem = kind === "value" || path.at(-1) === ITEM;
  const values: [string, null][] = isItem ? valuesOf(here).map((name) => [name, null]) : [];
  return [...fields, ...values]
    .filter(([name]) => name.startsWith(typed) && name !== typed)
    .slice(0, OFFERS_MAX)
    .map(([name, schema]) => ({
      name,
      about: schema ? about(schema) : "",
      insert: schema ? beginning(name, schema) : name,
      replaces: typed.length,
    }));
}

/** `cookie: `, but `bearer: {}`: it needs nothing more. */
function beginning(name: string, schema: Schema): string {
  const isEmpty = schema.properties !== undefined && Object.keys(schema.properties).length === 0;
  return isEmpty ? `${name}: {}` : `${name}: `;
}
