// What could be meant by a text that is being typed.
import type { FacetValue } from "../api/schema";
import { FIELDS, type Field } from "./fields";
import { term, tidy } from "./words";

export interface Offer {
  /** What the text becomes. */
  text: string;
  about: string;
  /** Whether it is a whole term, or only its beginning. */
  whole: boolean;
}

const OFFERS_MAX = 8;

/** The field whose values are wanted, e.g. `user` of `-user:da`; null while its name is typed. */
export function fieldOf(typed: string): Field | null {
  const name = /^-?([a-z_]+(?:\.[^:]*)?):/i.exec(typed)?.[1]?.toLowerCase();
  if (name === undefined) return null;
  const found = FIELDS.find((field) => field.name === name.split(".")[0]);
  return found ? { ...found, name } : null;
}

/** Fields for a beginning; for `field:`, its values, those of most sessions first. */
export function offers(typed: string, values: FacetValue[]): Offer[] {
  const [, minus = "", name = "", colon, part = ""] =
    /^(-?)([a-z_.]*)(:?)(.*)$/is.exec(typed) ?? [];
  const field = fieldOf(typed);
  if (!field) {
    if (part !== "" || colon === ":") return [];
    return FIELDS.filter((known) => known.name.startsWith(name.toLowerCase())).map((known) => ({
      text: `${minus}${known.begins}`,
      about: known.about,
      whole: false,
    }));
  }
  const wanted = typed
    .slice(typed.indexOf(":") + 1)
    .replaceAll('"', "")
    .toLowerCase();
  const known = values.map(({ value, term: text, sessions }) => ({ value, text, sessions }));
  const fixed = (field.fixed ?? [])
    .filter((value) => !known.some((one) => one.value === value))
    .map((value) => ({ value, text: term(field.name, value), sessions: 0 }));
  return [...known, ...fixed]
    .filter(({ value }) => value.toLowerCase().includes(wanted))
    .slice(0, OFFERS_MAX)
    .map(({ text, sessions }) => ({
      text: `${minus}${tidy(text)}`,
      about: sessions > 0 ? `in ${sessions.toLocaleString("en-US")} sessions` : "",
      whole: true,
    }));
}
