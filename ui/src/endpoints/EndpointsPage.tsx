// What the API is asked for, and how that goes: a table, the ways between endpoints, and how many
// people get to the end of one.
import { useMemo } from "react";
import type { PageProps } from "../app/pages";
import { usePlace, withQuery } from "../app/router";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { Page } from "../parts/Page";
import { Empty } from "../parts/State";
import { EndpointsTab } from "./EndpointsTab";
import { FlowTab } from "./flow/FlowTab";
import { FunnelsTab } from "./funnels/FunnelsTab";
import { EndpointPage } from "./one/EndpointPage";

const TABS = [
  ["/endpoints", "Table", EndpointsTab],
  ["/endpoints/flow", "Flow", FlowTab],
  ["/endpoints/funnels", "Funnels", FunnelsTab],
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
      <FilterTools state={state} q={q} />
      {Tab ? <Tab q={q} /> : <Empty title="There is no such part of Endpoints" />}
    </Page>
  );
}
