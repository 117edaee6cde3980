// How many people do what they came to do, where the others stop, and which step is slow for whom.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { Link } from "../../app/Link";
import { setQuery, usePlace } from "../../app/router";
import type { FlowDetail, FlowStep, FlowSummary } from "../../api/schema";
import { term } from "../../filter/words";
import { Card, Figures } from "../../parts/Card";
import { Legend, type Series } from "../../parts/chart/Bars";
import { FilterLink } from "../../parts/FilterLink";
import { Bones, Empty, Failed } from "../../parts/State";
import { shortEndpoint } from "../../words/endpoint";
import { count, percent, plural } from "../../words/number";
import { length } from "../../words/time";
import { ms } from "../columns";
import style from "./Funnels.module.css";

const filtered = (q: string | undefined) => (q === undefined ? {} : { q });

export function FunnelsTab({ q }: { q: string | undefined }) {
  const { query } = usePlace();
  const flows = useQuery({
    queryKey: ["flows", q],
    queryFn: ({ signal }) => body(api.GET("/v1/flows", { params: { query: filtered(q) }, signal })),
    placeholderData: keepPreviousData,
  });
  if (flows.isError) return <Failed error={flows.error} retry={() => void flows.refetch()} />;
  if (!flows.data) return <Bones rows={10} label="Funnels are loading" />;
  const { items } = flows.data;
  if (items.length === 0) {
    return (
      <Empty
        title="The policy names no flow yet"
        actions={
          <Link className="button main" to="/setup/policy">
            Write one
          </Link>
        }
      >
        <p>
          A flow is a list of steps that people take, such as search, cart and checkout; it shows
          where they stop, and for whom a step takes long. Steps are endpoints, under{" "}
          <code>flows:</code> in the policy.
        </p>
      </Empty>
    );
  }
  const chosen = items.find(({ name }) => name === query.get("at")) ?? items[0];
  return (
    <>
      <Figures
        label="Flows"
        head={["Flow", "#Begun", "#Completed", "#Share", "#In the middle", "#Begun by bots"]}
      >
        {items.map((flow) => (
          <Row key={flow.name} flow={flow} isChosen={flow.name === chosen?.name} />
        ))}
      </Figures>
      {chosen && <Funnel name={chosen.name} q={q} />}
    </>
  );
}

function Row({ flow, isChosen }: { flow: FlowSummary; isChosen: boolean }) {
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          className="button"
          aria-pressed={isChosen}
          onClick={() => setQuery({ at: flow.name })}
        >
          {flow.name}
        </button>{" "}
        <span className="soft">
          {flow.application != null && `in ${flow.application}, `}within {length(flow.within_ms)}
        </span>
      </th>
      <td className="number">{count(flow.started)}</td>
      <td className="number">{count(flow.completed)}</td>
      <td className="number">{percent(flow.completed_share)}</td>
      <td className="number soft">{ms(flow.median_ms)}</td>
      <td className="number">{count(flow.started_by_bots)}</td>
    </tr>
  );
}

function Funnel({ name, q }: { name: string; q: string | undefined }) {
  const flow = useQuery({
    queryKey: ["flow", name, q],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/flows/{name}", { params: { path: { name }, query: filtered(q) }, signal })),
    placeholderData: keepPreviousData,
  });
  if (flow.isError) return <Failed error={flow.error} />;
  if (!flow.data) return <Bones rows={6} label="The funnel is loading" />;
  const { data } = flow;
  return (
    <Card
      title={`Where visits of ${name} stop`}
      note={plural(data.started, "visit")}
      actions={<Legend series={SERIES} />}
    >
      <ol className={style.steps}>
        {data.steps.map((step, index) => (
          <Step
            key={step.name}
            step={step}
            first={data.started}
            isLast={index === data.steps.length - 1}
          />
        ))}
      </ol>
      <Bottlenecks flow={data} />
    </Card>
  );
}

function Step({ step, first, isLast }: { step: FlowStep; first: number; isLast: boolean }) {
  const people = step.reached - step.reached_by_bots;
  const share = (value: number) => `${(value / Math.max(1, first)) * 100}%`;
  return (
    <li className={style.step}>
      <span>
        <FilterLink word={term("endpoint", step.endpoints[0] ?? "")} className={style.name}>
          {step.name}
        </FilterLink>
        <span className="soft mono"> {step.endpoints.map(shortEndpoint).join(", ")}</span>
      </span>
      <span
        className={style.bar}
        role="img"
        aria-label={`${count(people)} people and ${count(step.reached_by_bots)} bots`}
      >
        <span className={style.people} style={{ width: share(people) }} />
        <span className={style.bots} style={{ width: share(step.reached_by_bots) }} />
      </span>
      <span className="number">
        {count(step.reached)} <span className="soft">{percent(step.share)}</span>
      </span>
      <span className={style.about}>
        {step.median_ms != null && (
          <span className="soft">{ms(step.median_ms)} after the step before</span>
        )}
        {step.failed_requests > 0 && (
          <span className="warn">{plural(step.failed_requests, "request")} failed</span>
        )}
        {!isLast && step.abandoned > 0 && (
          <span className="bad">{plural(step.abandoned, "visit")} stopped here</span>
        )}
      </span>
    </li>
  );
}

const SERIES: Series[] = [
  { name: "others", tone: "plain" },
  { name: "held for bots", tone: "bad" },
];

const BY: Record<string, string> = {
  user_agent_family: "with",
  role: "of role",
  bot: "held for a bot:",
};

function Bottlenecks({ flow }: { flow: FlowDetail }) {
  if (flow.bottlenecks.length === 0) return null;
  return (
    <>
      <h3>Slower for some</h3>
      <ul>
        {flow.bottlenecks
          .slice(0, 8)
          .map(({ step, by, value, median_ms: theirs, others_ms: others }) => (
            <li key={step + by + value}>
              <strong>{step}</strong> takes those {BY[by] ?? by} <strong>{value}</strong>{" "}
              {ms(theirs)}, the others {ms(others)}
            </li>
          ))}
      </ul>
    </>
  );
}
