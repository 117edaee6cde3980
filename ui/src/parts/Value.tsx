import type { ReactNode } from "react";
import { term } from "../filter/words";
import { FilterLink } from "./FilterLink";
import style from "./Value.module.css";

interface Props {
  /** Field of the filter language. */
  field: string;
  value: string;
  title?: string;
  children?: ReactNode;
}

/** A value that is a filter: a click shows the sessions with it, alt-click those without. */
export function Value({ field, value, title, children }: Props) {
  return (
    <FilterLink word={term(field, value)} className={style.value} title={title}>
      {children ?? value}
    </FilterLink>
  );
}
