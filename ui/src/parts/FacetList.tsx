import { useState } from "react";
import { useFacet } from "../api/facets";
import { tidy } from "../filter/words";
import { plural } from "../words/number";
import style from "./FacetList.module.css";
import { FilterLink } from "./FilterLink";
import { Meter } from "./Meter";

const FEW = 5;
const MANY = 30;

export interface Facet {
  field: string;
  title: string;
  /** What sessions without any value are called, and what selects them. */
  without?: [string, string];
  text?: (value: string) => string;
  mono?: boolean;
  /** What a click asks for besides: a term of the filter. */
  scope?: string;
}

interface Props {
  facet: Facet;
  q: string | undefined;
}

/** The values of a field that most sessions have, each a filter. */
export function FacetList({ facet, q }: Props) {
  const [all, setAll] = useState(false);
  const { data, error, isPlaceholderData } = useFacet(facet.field, q, all ? MANY : FEW, true);
  if (error) return <p className={style.note}>{error.message}</p>;
  if (!data) return <div className={`${style.wait} shimmer`} role="status" aria-label="loading" />;
  const { values, without, sessions, other, extent } = data;
  if (values.length === 0 && without === 0) return <p className={style.note}>none</p>;
  const about = extent.exact ? "" : ", estimated from a sample";
  const shown = values.map(({ value, term, share, sessions: having }) => ({
    value,
    word: `${facet.scope ?? ""} ${tidy(term)}`.trim(),
    share,
    title: `${plural(having, "session")}${about}`,
  }));
  if (facet.without && without > 0) {
    const [value, word] = facet.without;
    const title = `${plural(without, "session")}${about}`;
    shown.push({ value, word, share: without / Math.max(1, sessions), title });
    shown.sort((one, another) => another.share - one.share);
  }
  return (
    <ul className={isPlaceholderData ? `${style.list} ${style.old}` : style.list}>
      {shown.map(({ value, word, share, title }) => (
        <li key={word}>
          <FilterLink word={word} title={title}>
            <Meter
              label={
                <span className={facet.mono ? "mono" : undefined}>
                  {facet.text && word !== facet.without?.[1] ? facet.text(value) : value}
                </span>
              }
              share={share}
            />
          </FilterLink>
        </li>
      ))}
      {other.values > 0 && !all && (
        <li>
          <button type="button" className={style.more} onClick={() => setAll(true)}>
            {plural(other.values, "more value")}
          </button>
        </li>
      )}
      {all && other.values > 0 && (
        <li className={style.note}>and {plural(other.values, "other")}</li>
      )}
    </ul>
  );
}
