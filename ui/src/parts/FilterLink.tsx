import type { MouseEvent, ReactNode } from "react";
import { Link } from "../app/Link";
import { go, usePlace, withQuery } from "../app/router";
import { including, split } from "../filter/words";

interface Props {
  /** One or more terms of the filter language. */
  word: string;
  title?: string | undefined;
  className?: string | undefined;
  children: ReactNode;
}

/** A term as a link: a click shows the sessions with it, alt-click those without. */
export function FilterLink({ word, title, className, children }: Props) {
  const { path, query } = usePlace();
  // On the list a click narrows what is asked already; elsewhere it asks anew, of the same time.
  const isList = path === "/sessions";
  const url = (leaveOut: boolean) => {
    const next = new URLSearchParams(isList ? query : {});
    const last = query.get("last");
    if (last !== null) next.set("last", last);
    const before = isList ? split(query.get("q") ?? "") : [];
    const words = split(word).reduce((all, one) => including(all, one, leaveOut), before);
    next.set("q", words.join(" "));
    next.delete("at");
    return withQuery("/sessions", next);
  };
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
      className={className}
      title={title === undefined ? help : `${title}\n\n${help}`}
      onClick={follow}
    >
      {children}
    </Link>
  );
}
