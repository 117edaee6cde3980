import type { MouseEvent } from "react";
import { Link } from "../app/Link";
import { go, usePlace } from "../app/router";
import { listState, RANGE, sessionsUrl } from "../filter/url";
import { including, term } from "../filter/words";
import style from "./Value.module.css";

interface Props {
  /** Field of the filter language. */
  field: string;
  value: string;
  title?: string;
  children?: React.ReactNode;
}

/** A value that is a filter: a click shows the sessions with it, alt-click those without. */
export function Value({ field, value, title, children }: Props) {
  const { path, query } = usePlace();
  // On the list a click narrows what is asked already; elsewhere it asks anew.
  const state = path === "/sessions" ? listState(query) : { words: [], last: RANGE, sort: "last" };
  const word = term(field, value);
  const url = (leaveOut: boolean) =>
    sessionsUrl({ ...state, words: including(state.words, word, leaveOut) });
  const follow = (event: MouseEvent) => {
    event.stopPropagation();
    if (!event.altKey) return;
    event.preventDefault();
    go(url(true));
  };
  const help = `click: only ${word}\nalt-click: without`;
  return (
    <Link
      to={url(false)}
      className={style.value}
      title={title === undefined ? help : `${title}\n\n${help}`}
      onClick={follow}
    >
      {children ?? value}
    </Link>
  );
}
