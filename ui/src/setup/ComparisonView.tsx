// Today's sessions beside the candidate's, over the same requests.
import type { ReactNode } from "react";
import { Link } from "../app/Link";
import type { Comparison, Regrouped, Side } from "../api/schema";
import { Notice } from "../parts/State";
import { count, percent, plural } from "../words/number";
import style from "./Setup.module.css";

/** What is compared: one line each. */
const ROWS: readonly [string, (side: Side) => string][] = [
  ["Sessions in the sample", ({ sessions }) => count(sessions)],
  ["Requests of a session, middle", ({ requests_median: value }) => value.toFixed(0)],
  ["… nine of ten have at most", ({ requests_p90: value }) => value.toFixed(0)],
  ["… the largest", ({ requests_max }) => count(requests_max)],
  ["Users of a session", ({ users_per_session: value }) => value?.toFixed(2) ?? "not recorded"],
  ["Sessions of a user", ({ sessions_per_user: value }) => value?.toFixed(2) ?? "not recorded"],
  ["Sessions with several clients", ({ several_clients }) => count(several_clients)],
  ["Shared keys, at least", ({ shared_keys }) => count(shared_keys)],
];

export function ComparisonView({ comparison }: { comparison: Comparison }) {
  if (comparison.requests === 0) {
    return <Notice>No request of a sampled client came yet: figures follow with the first.</Notice>;
  }
  const { now, then } = comparison;
  const { sessions_predicted: predicted, sessions_predicted_low: low } = comparison;
  const high = comparison.sessions_predicted_high;
  return (
    <div className={style.comparison}>
      <p className={style.sum}>
        {predicted == null ? (
          "No session of the sample yet."
        ) : (
          <>
            <strong>{count(comparison.sessions_actual)}</strong> sessions would have been about{" "}
            <strong>{count(predicted)}</strong>
            {low != null && high != null ? ` (${count(low)} to ${count(high)})` : null}{" "}
            <span className="soft">
              by {plural(comparison.requests, "request")} of {plural(comparison.clients, "client")}
            </span>
          </>
        )}
      </p>
      <div className={style.pair}>
        <table className={style.figures}>
          <thead>
            <tr>
              <th scope="col">Over the same requests</th>
              <th scope="col">Now</th>
              <th scope="col">With it</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.map(([name, figure]) => (
              <Figures key={name} name={name} now={figure(now)} then={figure(then)} />
            ))}
          </tbody>
        </table>
        <table className={style.figures}>
          <thead>
            <tr>
              <th scope="col">Share of requests found by</th>
              <th scope="col">Now</th>
              <th scope="col">With it</th>
            </tr>
          </thead>
          <tbody>
            {comparison.rules.map((rule) => (
              <Figures
                key={rule.key}
                name={rule.key}
                now={percent(rule.now)}
                then={percent(rule.then)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div className={style.pair}>
        <Examples
          title={`${plural(comparison.merged, "session")} would join several of today's`}
          list={comparison.merged_examples}
          line={({ others, count: all }) => (
            <>
              joins <Ids ids={others} all={all} />,
            </>
          )}
        />
        <Examples
          title={`${plural(comparison.split, "session")} of today would be divided`}
          list={comparison.split_examples}
          line={({ session, count: all }) => (
            <>
              <Ids ids={[session]} all={1} /> into {plural(all, "session")},
            </>
          )}
        />
      </div>
      {comparison.not_recorded.length > 0 && (
        <details className={style.details}>
          <summary>What these records cannot tell</summary>
          <ul>
            {comparison.not_recorded.map((line) => (
              <li key={line} className="soft">
                {line}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Figures({ name, now, then }: { name: string; now: string; then: string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="number soft">{now}</td>
      <td className={now === then ? "number soft" : `number ${style.differs ?? ""}`}>{then}</td>
    </tr>
  );
}

interface ExamplesProps {
  title: string;
  list: Regrouped[];
  line: (one: Regrouped) => ReactNode;
}

function Examples({ title, list, line }: ExamplesProps) {
  return (
    <div>
      <h3>{title}</h3>
      <ul className={style.examples}>
        {list.map((one) => (
          <li key={one.session}>
            {line(one)} <span className="soft">{plural(one.requests, "request")}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Ids({ ids, all }: { ids: string[]; all: number }) {
  const shown = ids.slice(0, 2);
  return (
    <>
      {shown.map((id, index) => (
        <span key={id}>
          {index > 0 && ", "}
          <Link className="mono" to={`/sessions/${id}`}>
            {id.slice(0, 10)}
          </Link>
        </span>
      ))}
      {all > shown.length && <span className="soft"> +{count(all - shown.length)}</span>}
    </>
  );
}
