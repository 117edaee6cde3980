// What could be meant by a text that is being typed.
import type { Session } from "../api/schema";
import { FIELDS } from "./fields";
import { term } from "./words";

export interface Offer {
  /** What the text becomes. */
  text: string;
  about: string;
  /** Whether it is a whole term, or only its beginning. */
  whole: boolean;
}

const OFFERS_MAX = 8;

/** Fields for a beginning; for `field:`, values that the sessions in sight have, frequent first. */
export function offers(typed: string, rows: Session[]): Offer[] {
  const [, minus = "", name = "", colon, part = ""] =
    /^(-?)([a-z_.]*)(:?)(.*)$/is.exec(typed) ?? [];
  if (colon !== ":") {
    if (part !== "") return [];
    return FIELDS.filter((field) => field.name.startsWith(name.toLowerCase())).map((field) => ({
      text: `${minus}${field.begins}`,
      about: field.about,
      whole: false,
    }));
  }
  const field = FIELDS.find((known) => known.name === name.toLowerCase());
  const wanted = part.replaceAll('"', "").toLowerCase();
  const tallied = tally(field?.values ? rows.flatMap(field.values) : []);
  const known = [...tallied].sort(([, one], [, other]) => other - one);
  const fixed = (field?.fixed ?? []).map((value): [string, number] => [value, 0]);
  return [...known, ...fixed]
    .filter(([value]) => value !== "" && value.toLowerCase().includes(wanted))
    .slice(0, OFFERS_MAX)
    .map(([value, times]) => ({
      text: `${minus}${term(name, value)}`,
      about: times > 0 ? `in ${times} of the ${rows.length} sessions below` : "",
      whole: true,
    }));
}

function tally(values: string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return times;
}
