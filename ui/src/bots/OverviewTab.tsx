// What the sessions held for bots have in common: when, which types, from where, at what.
import { useMemo } from "react";
import { setQuery, usePlace } from "../app/router";
import type { Bots } from "../api/schema";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { term, withoutTime } from "../filter/words";
import { Card } from "../parts/Card";
import { ExportMenu } from "../parts/ExportMenu";
import { Bars, Legend, type Series, type Tone } from "../parts/chart/Bars";
import { FacetList, type Facet } from "../parts/FacetList";
import { FilterLink } from "../parts/FilterLink";
import { Meter } from "../parts/Meter";
import { Bones, Empty, Failed } from "../parts/State";
import { BOT_TYPES, botName, detectorName } from "../words/bot";
import { clientName } from "../words/client";
import { count, percent, plural } from "../words/number";
import { roundLength } from "../words/time";
import style from "./Bots.module.css";
import { useBots } from "./data";

const HELD = "has:verdict";

/** Values that are spread over the sessions held for bots. */
const FACETS: readonly Facet[] = [
  { field: "user", title: "Users concerned", scope: HELD },
  { field: "ua", title: "What they claim to be", text: clientName, scope: HELD },
  { field: "status", title: "What they are answered", scope: HELD },
];
const COMBINATIONS = 8;
/** What of the bots can be taken along. */
const LISTS = [
  ["verdicts", "Verdicts"],
  ["sessions", "Sessions"],
  ["requests", "Their requests"],
  ["sources", "Their addresses"],
] as const;

export function OverviewTab() {
  const { query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { q } = asked(state);
  const bots = useBots(q);
  const { q: held } = asked({ ...state, words: [...state.words, HELD] });
  return (
    <div className={style.overview}>
      <FilterTools state={state} q={q}>
        <ExportMenu lists={LISTS} q={held} />
      </FilterTools>
      {bots.data ? (
        bots.data.bots === 0 ? (
          <Empty title="Nobody was held for a bot in this time">
            <p>{plural(bots.data.sessions, "session")} were looked at.</p>
          </Empty>
        ) : (
          <>
            <Whole bots={bots.data} words={state.words} />
            <div className={style.cards}>
              <Ranked title="Where from" field="ip" top={bots.data.sources} of={bots.data} />
              <Ranked
                title="What they ask for"
                field="endpoint"
                top={bots.data.targets}
                of={bots.data}
              />
              <Combinations bots={bots.data} />
              {FACETS.map((facet) => (
                <Card key={facet.field} title={facet.title} note="share of these sessions">
                  <FacetList facet={facet} q={held} />
                </Card>
              ))}
            </div>
          </>
        )
      ) : bots.isError ? (
        <Failed error={bots.error} retry={() => void bots.refetch()} />
      ) : (
        <Bones rows={14} label="Bots are loading" />
      )}
    </div>
  );
}

const TONES: readonly Tone[] = ["warn", "bad", "link", "ok", "plain"];
const toneOf = (type: string) => TONES[BOT_TYPES.indexOf(type) % TONES.length] ?? "plain";

/** Requests of bots over time, by type; drag to zoom. */
function Whole({ bots, words }: { bots: Bots; words: string[] }) {
  const series: Series[] = bots.types.map(({ bot_type: type }) => ({
    name: botName(type),
    tone: toneOf(type),
  }));
  const bars = bots.buckets.map((start, at) => ({
    start,
    values: bots.types.map(({ over_time: requests }) => requests[at] ?? 0),
  }));
  return (
    <Card
      title={`${count(bots.bots)} of ${plural(bots.sessions, "session")} held for bots`}
      note={`with ${percent(bots.bot_requests / Math.max(1, bots.requests))} of the requests`}
      actions={<Legend series={series} sums={bots.types.map(({ sessions }) => sessions)} />}
    >
      <Bars
        label="Requests of bots over time, by type"
        series={series}
        bars={bars}
        width_s={bots.width_s}
        height={150}
        onZoom={(from, to) =>
          setQuery({ q: [...withoutTime(words.join(" ")), `from:${from}`, `to:${to}`].join(" ") })
        }
      />
      <p className="quiet">
        requests per {roundLength(bots.width_s * 1000)} · drag to zoom
        {!bots.extent.exact && " · estimated from a sample"}
      </p>
    </Card>
  );
}

interface RankedProps {
  title: string;
  field: string;
  top: Bots["sources"];
  of: Bots;
}

/** What most of the bots' requests have in common. */
function Ranked({ title, field, top, of }: RankedProps) {
  return (
    <Card title={title} note={`share of the bots' requests`}>
      <ul className={style.ranked}>
        {top.values.slice(0, 8).map(({ value, requests, sessions }) => (
          <li key={value}>
            <FilterLink
              word={`${HELD} ${term(field, value)}`}
              title={`${plural(requests, "request")} of ${plural(sessions, "session")}`}
            >
              <Meter
                label={<span className="mono">{value}</span>}
                share={requests / Math.max(1, of.bot_requests)}
              />
            </FilterLink>
          </li>
        ))}
      </ul>
      {top.count > 8 && <p className="soft">{plural(top.count - 8, "more value")}</p>}
    </Card>
  );
}

/** Which detectors see the same bots. */
function Combinations({ bots }: { bots: Bots }) {
  return (
    <Card title="Seen together by" note="share of the sessions held for bots">
      <ul className={style.ranked}>
        {bots.combinations.slice(0, COMBINATIONS).map(({ detectors, sessions }) => (
          <li key={detectors.join()}>
            <Meter
              label={detectors.map(detectorName).join(" + ")}
              share={sessions / Math.max(1, bots.bots)}
              title={`${plural(sessions, "session")}: ${detectors.map(detectorName).join(" + ")}`}
            />
          </li>
        ))}
      </ul>
      {bots.combinations_cut && <p className="quiet">Of the latest 10,000 verdicts.</p>}
    </Card>
  );
}
