// The whole state of a page is its URL: path and query string.
import { useSyncExternalStore } from "react";

export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();
const changed = () => listeners.forEach((listener) => listener());
window.addEventListener("popstate", changed);

export interface Going {
  /** Takes the place of the current entry of the history: for changes one does not step back over. */
  replace?: boolean;
}

/** Goes to a path with query, e.g. `/sessions?q=ip:1.2.3.4`. */
export function go(to: string, { replace = false }: Going = {}) {
  if (replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  changed();
}

/** Sets (or, with null, removes) parameters of the current page. */
export function setQuery(change: Record<string, string | null>, going: Going = {}) {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  go(withQuery(window.location.pathname, query), going);
}

export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

let known: { href: string; place: Place } | null = null;

/** Taken apart once: each value on a page is a link that asks. Not to be changed by who asks. */
function placeAt(href: string): Place {
  if (known?.href !== href) {
    const url = new URL(href, window.location.origin);
    known = { href, place: { path: url.pathname, query: url.searchParams } };
  }
  return known.place;
}

/** Where the reader is; a component that asks is drawn again when it changes. */
export function usePlace(): Place {
  const href = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => window.location.pathname + window.location.search,
  );
  return placeAt(href);
}
