// What the sessions held for bots have in common: when, which types, from where, at what.
import { useMemo } from "react";
import { usePlace } from "../app/router";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { Card } from "../parts/Card";
import { FacetList, type Facet } from "../parts/FacetList";
import { botName } from "../words/bot";
import { clientName } from "../words/client";
import style from "./Bots.module.css";
import { TypesOverTime } from "./TypesOverTime";

const HELD = "has:verdict";

const FACETS: readonly Facet[] = [
  { field: "verdict", title: "Types", text: botName },
  { field: "ip", title: "Where from", mono: true, scope: HELD },
  { field: "endpoint", title: "What they ask for", mono: true, scope: HELD },
  { field: "user", title: "Users concerned", scope: HELD },
  { field: "ua", title: "What they claim to be", text: clientName, scope: HELD },
  { field: "status", title: "What they are answered", scope: HELD },
];

export function OverviewTab() {
  const { query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { q } = asked({ ...state, words: [...state.words, HELD] });
  return (
    <div className={style.overview}>
      <FilterTools state={state} q={q} />
      <TypesOverTime q={q} />
      <p className="soft">Shares of the sessions held for bots:</p>
      <div className={style.cards}>
        {FACETS.map((facet) => (
          <Card key={facet.field} title={facet.title}>
            <FacetList facet={facet} q={q} />
          </Card>
        ))}
      </div>
    </div>
  );
}
