import { setQuery, usePlace } from "../app/router";
import { COLUMNS, USUAL } from "./columns";

const KEY = "throughline.columns";

/** The columns that are shown: the URL's, else those chosen last, else the usual ones. */
export function useShownColumns(): [string[], (ids: string[]) => void] {
  const { query } = usePlace();
  const named = query.get("columns") ?? localStorage.getItem(KEY);
  const known = (named ?? "").split(",").filter((id) => COLUMNS.some((column) => column.id === id));
  const choose = (ids: string[]) => {
    const text = COLUMNS.map(({ id }) => id)
      .filter((id) => ids.includes(id))
      .join(",");
    const isUsual = text === USUAL.join(",");
    if (isUsual) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, text);
    setQuery({ columns: isUsual ? null : text }, { replace: true });
  };
  return [known.length > 0 ? known : USUAL, choose];
}
