// What the API is asked for, and how that goes: a table, and the ways between endpoints.
import { useMemo } from "react";
import type { PageProps } from "../app/pages";
import { usePlace, withQuery } from "../app/router";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { Page } from "../parts/Page";
import { EndpointsTab } from "./EndpointsTab";
import { FlowTab } from "./flow/FlowTab";
import { EndpointPage } from "./one/EndpointPage";

const TABS = [
  ["/endpoints", "Table"],
  ["/endpoints/flow", "Flow"],
] as const;

/** As the API names endpoints. */
const ID = /^[0-9a-f]{16}$/;

export default function EndpointsPage({ params }: PageProps) {
  const { part } = params;
  return part !== undefined && ID.test(part) ? <EndpointPage id={part} /> : <Whole part={part} />;
}

function Whole({ part }: { part: string | undefined }) {
  const { path, query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { q } = asked(state);
  const kept = new URLSearchParams();
  for (const name of ["q", "last"]) {
    const value = query.get(name);
    if (value !== null) kept.set(name, value);
  }
  const isFlow = part === "flow";
  return (
    <Page
      title="Endpoints"
      tabs={TABS.map(([to, title]) => ({ to: withQuery(to, kept), title, isHere: to === path }))}
      fixed
    >
      <FilterTools state={state} q={q} />
      {isFlow ? <FlowTab q={q} /> : <EndpointsTab q={q} />}
    </Page>
  );
}
