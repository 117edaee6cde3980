import type { ReactNode } from "react";
import { setQuery } from "../app/router";
import { FilterBar } from "./FilterBar";
import style from "./FilterBar.module.css";
import { ViewsMenu } from "./ViewsMenu";
import { RANGES, type ListState } from "./url";

interface Props {
  state: ListState;
  /** What is asked now, for completion. */
  q: string | undefined;
  /** What else one can do on the page. */
  children?: ReactNode;
}

/** Which sessions a page is about: time and filter, kept in the URL. */
export function FilterTools({ state, q, children }: Props) {
  return (
    <div className={style.tools}>
      <select
        className="field"
        aria-label="Time range"
        value={state.last}
        onChange={(event) => setQuery({ last: event.target.value, at: null })}
      >
        {RANGES.map(([name, label]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
      <FilterBar
        words={state.words}
        onChange={(words) => setQuery({ q: words.join(" "), at: null })}
        q={q}
      />
      {children}
      <ViewsMenu />
    </div>
  );
}
