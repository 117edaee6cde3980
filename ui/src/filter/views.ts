// Views that a person saved in this browser: a name for a page with its filter.
import { useState } from "react";

const KEY = "throughline.views";

export interface View {
  name: string;
  /** Path and query. */
  url: string;
}

function kept(): View[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? (list as View[]).filter(({ name, url }) => name && url) : [];
  } catch {
    return [];
  }
}

/** The views with one more; a name stands for one view only. */
export function withView(views: View[], view: View): View[] {
  return [...views.filter(({ name }) => name !== view.name), view].sort((one, other) =>
    one.name.localeCompare(other.name),
  );
}

/** A URL without what is chosen: that is no part of the view. */
export function viewUrl(url: string): string {
  const [path = "", query = ""] = url.split("?");
  const rest = new URLSearchParams(query);
  rest.delete("at");
  return rest.size === 0 ? path : `${path}?${rest.toString()}`;
}

export function useViews() {
  const [views, setViews] = useState(kept);
  const keep = (next: View[]) => {
    localStorage.setItem(KEY, JSON.stringify(next));
    setViews(next);
  };
  return {
    views,
    save: (view: View) => keep(withView(views, view)),
    remove: (name: string) => keep(views.filter((view) => view.name !== name)),
  };
}
