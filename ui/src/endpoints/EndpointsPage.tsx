// What the API is asked for, and how that goes: a table, the ways between endpoints, and how many
// people get to the end of one.
import { useMemo, useState } from "react";
import type { PageProps } from "../app/pages";
import { setQuery, usePlace, withQuery } from "../app/router";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { ExportMenu } from "../parts/ExportMenu";
import { Page } from "../parts/Page";
import { Empty } from "../parts/State";
import { DocumentsDialog } from "./DocumentsDialog";
import { EndpointsTab } from "./EndpointsTab";
import { FlowTab } from "./flow/FlowTab";
import { FunnelsTab } from "./funnels/FunnelsTab";
import { EndpointPage } from "./one/EndpointPage";

const TABS = [
  ["/endpoints", "Table", EndpointsTab],
  ["/endpoints/flow", "Flow", FlowTab],
  ["/endpoints/funnels", "Funnels", FunnelsTab],
] as const;

/** What of it can be taken along. */
const LISTS = [
  ["endpoints", "Endpoints"],
  ["requests", "Requests"],
] as const;

/** As the API names endpoints. */
const ID = /^[0-9a-f]{16}$/;

export default function EndpointsPage({ params }: PageProps) {
  const { part } = params;
  return part !== undefined && ID.test(part) ? <EndpointPage id={part} /> : <Whole part={part} />;
}

function Whole({ part }: { part: string | undefined }) {
  const { query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { q } = asked(state);
  const here = part === undefined ? "/endpoints" : `/endpoints/${part}`;
  const Tab = TABS.find(([to]) => to === here)?.[2];
  const kept = new URLSearchParams();
  for (const name of ["q", "last"]) {
    const value = query.get(name);
    if (value !== null) kept.set(name, value);
  }
  return (
    <Page
      title="Endpoints"
      tabs={TABS.map(([to, title]) => ({ to: withQuery(to, kept), title, isHere: to === here }))}
      fixed
    >
      <FilterTools state={state} q={q}>
        {part === undefined && <Which />}
        <ExportMenu lists={LISTS} q={q} />
      </FilterTools>
      {Tab ? <Tab q={q} /> : <Empty title="There is no such part of Endpoints" />}
    </Page>
  );
}

const MARKS = [
  ["", "All endpoints"],
  ["new", "New"],
  ["undocumented", "Not documented"],
  ["unused", "Unused"],
] as const;

/** Endpoints with one mark only, and where the marks come from. */
function Which() {
  const { query } = usePlace();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <select
        className="field"
        aria-label="Which endpoints"
        value={query.get("mark") ?? ""}
        onChange={(event) => setQuery({ mark: event.target.value, at: null })}
      >
        {MARKS.map(([mark, label]) => (
          <option key={mark} value={mark}>
            {label}
          </option>
        ))}
      </select>
      <button type="button" className="button" onClick={() => setAsking(true)}>
        OpenAPI…
      </button>
      {isAsking && <DocumentsDialog onClose={() => setAsking(false)} />}
    </>
  );
}
