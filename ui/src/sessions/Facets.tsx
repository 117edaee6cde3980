// What there is among the sessions in sight: values with their shares, a click away from a filter.
import { useState } from "react";
import { FacetList, type Facet } from "../parts/FacetList";
import { botName } from "../words/bot";
import { clientName } from "../words/client";
import { countryName } from "../words/country";
import { shortEndpoint } from "../words/endpoint";
import style from "./Facets.module.css";

interface Shown extends Facet {
  isOpen?: boolean;
}

const FACETS: readonly Shown[] = [
  {
    field: "verdict",
    title: "Verdict",
    without: ["no verdict", "-has:verdict"],
    text: botName,
    isOpen: true,
  },
  { field: "endpoint", title: "Endpoint", text: shortEndpoint, mono: true, isOpen: true },
  { field: "status", title: "Status", isOpen: true },
  { field: "key", title: "Found by", isOpen: true },
  { field: "role", title: "Role" },
  { field: "user", title: "User", without: ["none", "-has:user"] },
  { field: "ip", title: "Address", mono: true },
  { field: "country", title: "Country", text: countryName },
  { field: "ua", title: "Client", text: clientName },
  { field: "app", title: "Application" },
  { field: "label", title: "Label", without: ["no note", "-has:note"] },
  { field: "took", title: "Request took" },
  { field: "requests", title: "Requests" },
  { field: "duration", title: "Length" },
];

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
          {open.has(facet.field) && <FacetList facet={facet} q={q} />}
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
