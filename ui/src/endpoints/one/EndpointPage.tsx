// One endpoint: how slow, how often wrong, when, and which sessions it hurt.
import { useMemo } from "react";
import { useKeys } from "../../app/keys";
import { Link } from "../../app/Link";
import { go, setQuery, usePlace, withQuery } from "../../app/router";
import type { Endpoint } from "../../api/schema";
import { FilterTools } from "../../filter/FilterTools";
import { asked, listState } from "../../filter/url";
import { term } from "../../filter/words";
import { Page } from "../../parts/Page";
import { Bones, Empty, Failed } from "../../parts/State";
import { Time } from "../../parts/Time";
import { bytes, count, percent, plural } from "../../words/number";
import { EndpointName, ErrorShare, ms } from "../columns";
import { Marks } from "../Marks";
import { waited } from "../waited";
import { useEndpoint } from "./data";
import style from "./Endpoint.module.css";
import { Hurt } from "./Hurt";
import { OverTime } from "./OverTime";

export function EndpointPage({ id }: { id: string }) {
  const { query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { q } = asked(state);
  const endpoint = useEndpoint(id, q);
  const kept = new URLSearchParams();
  const last = query.get("last");
  if (last !== null) kept.set("last", last);
  const list = withQuery("/endpoints", kept);
  useKeys("Endpoint", [{ key: "Escape", does: "back to the table", run: () => go(list) }]);
  return (
    <Page
      title="Endpoints"
      note={
        <>
          <Link to={list}>Table</Link> <span className="quiet">›</span>{" "}
          {endpoint.data && (
            <strong className="mono">
              <EndpointName text={endpoint.data.endpoint} />
              <Marks of={endpoint.data} />
            </strong>
          )}
        </>
      }
      actions={
        endpoint.data && (
          <Link
            className="button"
            to={withQuery(
              "/endpoints/flow",
              new URLSearchParams({ ...Object.fromEntries(kept), at: endpoint.data.endpoint }),
            )}
          >
            Where people go from here
          </Link>
        )
      }
    >
      <FilterTools state={state} q={q} />
      {endpoint.isError && !endpoint.data ? (
        <Failed error={endpoint.error} retry={() => void endpoint.refetch()} />
      ) : endpoint.isPending ? (
        <Bones rows={12} label="The endpoint is loading" />
      ) : endpoint.data === null ? (
        <Empty
          title="Nobody asked for it in this time"
          actions={
            <button
              type="button"
              className="button"
              onClick={() => setQuery({ q: null, last: "all" })}
            >
              Over all time
            </button>
          }
        />
      ) : (
        <>
          <Facts of={endpoint.data} />
          <OverTime of={endpoint.data} q={q} />
          <div className={style.pair}>
            <Hurt
              title="Sessions that had to wait"
              note={`for about ${ms(endpoint.data.p95_ms)} or longer, as one request in twenty`}
              word={`${where(endpoint.data)} ${waited(endpoint.data.p95_ms ?? 0)}`}
              q={q}
            />
            <Hurt
              title="Sessions that it failed"
              note="with an answer of 400 to 599"
              word={`${where(endpoint.data)} status:400..599`}
              q={q}
            />
          </div>
        </>
      )}
    </Page>
  );
}

const where = ({ application, endpoint }: Endpoint) =>
  `${term("app", application)} ${term("endpoint", endpoint)}`;

function Facts({ of }: { of: Endpoint }) {
  const facts: [string, React.ReactNode, React.ReactNode][] = [
    ["Requests", count(of.requests), `of ${plural(of.sessions, "session")}`],
    [
      "Errors",
      <ErrorShare key="errors" of={of} />,
      `${count(of.errors_4xx)} × 4xx, ${count(of.errors_5xx)} × 5xx`,
    ],
    ["Half within", ms(of.p50_ms), "median"],
    ["95 % within", ms(of.p95_ms), "p95"],
    ["99 % within", ms(of.p99_ms), "p99"],
    ["By bots", percent(of.bot_share), "of its requests"],
    ["Bodies", bytes(of.request_bytes + of.response_bytes), "both ways"],
    [
      "Seen",
      of.last == null ? "–" : <Time key="last" at={of.last} />,
      of.first_seen == null ? (
        "never asked for"
      ) : (
        <>
          first <Time at={of.first_seen} />
        </>
      ),
    ],
  ];
  return (
    <dl className={`panel ${style.facts}`}>
      {facts.map(([name, value, about]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong>
            <div className="quiet">{about}</div>
          </dd>
        </div>
      ))}
    </dl>
  );
}
