// What there is among the sessions in sight: values with their shares, a click away from a filter.
import { useState } from "react";
import { FilterLink } from "../parts/FilterLink";
import { Meter } from "../parts/Meter";
import { botName } from "../words/bot";
import { clientName } from "../words/client";
import { plural } from "../words/number";
import style from "./Facets.module.css";
import { useFacet } from "./facetData";

interface Facet {
  field: string;
  title: string;
  /** What sessions without any value are called, and what selects them. */
  without?: [string, string];
  text?: (value: string) => string;
  mono?: boolean;
  isOpen?: boolean;
}

const FACETS: readonly Facet[] = [
  {
    field: "verdict",
    title: "Verdict",
    without: ["no verdict", "-has:verdict"],
    text: botName,
    isOpen: true,
  },
  { field: "endpoint", title: "Endpoint", mono: true, isOpen: true },
  { field: "status", title: "Status", isOpen: true },
  { field: "key", title: "Found by", isOpen: true },
  { field: "role", title: "Role", without: ["none", "-role:*"] },
  { field: "user", title: "User", without: ["none", "-has:user"] },
  { field: "ip", title: "Address", mono: true },
  { field: "ua", title: "Client", text: clientName },
  { field: "app", title: "Application" },
  { field: "took", title: "Request took" },
  { field: "requests", title: "Requests" },
  { field: "duration", title: "Length" },
];

const FEW = 5;
const MANY = 30;
const KEY = "throughline.facets";

export function Facets({ q }: { q: string | undefined }) {
  const [open, setOpen] = useState(keptOpen);
  const flip = (field: string, isOpen: boolean) => {
    if (open.has(field) === isOpen) return;
    const next = new Set(open);
    if (isOpen) next.add(field);
    else next.delete(field);
    localStorage.setItem(KEY, [...next].join(","));
    setOpen(next);
  };
  return (
    <aside className={style.facets} aria-label="Values and their shares">
      {FACETS.map((facet) => (
        <details
          key={facet.field}
          open={open.has(facet.field)}
          onToggle={(event) => flip(facet.field, event.currentTarget.open)}
        >
          <summary>{facet.title}</summary>
          {open.has(facet.field) && <Values facet={facet} q={q} />}
        </details>
      ))}
    </aside>
  );
}

function keptOpen(): Set<string> {
  const kept = localStorage.getItem(KEY);
  if (kept !== null) return new Set(kept.split(","));
  return new Set(FACETS.filter(({ isOpen }) => isOpen).map(({ field }) => field));
}

interface ValuesProps {
  facet: Facet;
  q: string | undefined;
}

function Values({ facet, q }: ValuesProps) {
  const [all, setAll] = useState(false);
  const { data, error, isPlaceholderData } = useFacet(facet.field, q, all ? MANY : FEW, true);
  if (error) return <p className={style.note}>{error.message}</p>;
  if (!data) return <div className={`${style.wait} shimmer`} role="status" aria-label="loading" />;
  const { values, without, sessions, other, extent } = data;
  if (values.length === 0 && without === 0) return <p className={style.note}>none</p>;
  const about = extent.exact ? "" : ", estimated from a sample";
  const shown = values.map(({ value, term: word, share, sessions: having }) => ({
    value,
    word,
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
    <ul className={isPlaceholderData ? style.old : undefined}>
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
