// The flow in words: where visits begin and end, or what is chosen, with the sessions behind it.
import type { Edge, Transitions } from "../../api/schema";
import { term } from "../../filter/words";
import { FilterLink } from "../../parts/FilterLink";
import { Meter } from "../../parts/Meter";
import { shortEndpoint } from "../../words/endpoint";
import { count, percent, plural } from "../../words/number";
import { ms } from "../columns";
import { choiceOf, stepKey } from "./choice";
import style from "./Flow.module.css";
import { ENTRY, EXIT } from "./layout";

interface Props {
  flow: Transitions;
  /** Of the filter. */
  words: string[];
  chosen: string | null;
  onChoose: (key: string | null) => void;
}

const ROWS = 8;

export function FlowSide({ flow, words, chosen, onChoose }: Props) {
  const choice = choiceOf(chosen);
  return (
    <aside className={`panel ${style.side}`} aria-label="The flow in words">
      {choice === null ? (
        <Whole flow={flow} onChoose={onChoose} />
      ) : "endpoint" in choice ? (
        <OneEndpoint flow={flow} words={words} name={choice.endpoint} onChoose={onChoose} />
      ) : (
        <OneStep flow={flow} words={words} step={choice} onChoose={onChoose} />
      )}
    </aside>
  );
}

interface PartProps {
  flow: Transitions;
  onChoose: (key: string | null) => void;
}

function Whole({ flow, onChoose }: PartProps) {
  const ways = flow.edges.filter(({ from, to }) => from !== to && from !== ENTRY && to !== EXIT);
  const part = (name: "entries" | "exits") =>
    [...flow.nodes]
      .filter((node) => node[name] > 0)
      .sort((one, other) => other[name] - one[name])
      .map((node) => ({ key: node.endpoint, label: node.endpoint, times: node[name] }));
  return (
    <>
      <h2>{plural(flow.visits, "visit")}</h2>
      <p className="soft">Choose an endpoint or a step to see the sessions behind it.</p>
      <List title="They begin at" rows={part("entries")} all={flow.visits} onChoose={onChoose} />
      <List title="They end at" rows={part("exits")} all={flow.visits} onChoose={onChoose} />
      <List title="Most frequent steps" rows={ways.map(stepRow)} all={null} onChoose={onChoose} />
      {flow.other_edges.edges > 0 && (
        <p className="quiet">
          {plural(flow.other_edges.edges, "rarer step")} not shown, taken{" "}
          {plural(flow.other_edges.count, "time")}.
        </p>
      )}
    </>
  );
}

const stepRow = ({ from, to, count: times, share }: Edge) => ({
  key: stepKey(from, to),
  label: `${shortEndpoint(from)} → ${shortEndpoint(to)}`,
  times,
  share,
});

interface OneProps extends PartProps {
  words: string[];
}

function OneEndpoint({ flow, words, name, onChoose }: OneProps & { name: string }) {
  const node = flow.nodes.find(({ endpoint }) => endpoint === name);
  const into = flow.edges.filter(({ to, from }) => to === name && from !== name);
  const out = flow.edges.filter(({ from }) => from === name);
  const arrivals = into.reduce((all, edge) => all + edge.count, 0);
  return (
    <>
      <h2 className="mono">{name}</h2>
      {node && (
        <p className="soft">
          {plural(node.requests, "request")}, {percent(node.error_share)} failed;{" "}
          {plural(node.exits, "visit")} of {count(flow.visits)} end here.
        </p>
      )}
      {node && !name.startsWith("(") && (
        <p className={style.links}>
          <Sessions words={words} add={term("endpoint", name)}>
            Its sessions
          </Sessions>
          <Sessions words={words} add={`${term("endpoint", name)} status:400..599`}>
            Those with errors here
          </Sessions>
        </p>
      )}
      <List
        title="Comes after"
        rows={into.map((edge) => ({ ...stepRow(edge), label: edge.from, share: null }))}
        all={arrivals}
        onChoose={onChoose}
      />
      <List
        title="Goes on to"
        rows={out.map((edge) => ({ ...stepRow(edge), label: edge.to }))}
        all={null}
        onChoose={onChoose}
      />
      <Back onChoose={onChoose} />
    </>
  );
}

function OneStep({
  flow,
  words,
  step,
  onChoose,
}: OneProps & { step: { from: string; to: string } }) {
  const edge = flow.edges.find(({ from, to }) => from === step.from && to === step.to);
  const real = [step.from, step.to].filter((name) => !name.startsWith("("));
  return (
    <>
      <h2 className="mono">
        {step.from}
        <br />→ {step.to}
      </h2>
      {edge ? (
        <dl className={style.facts}>
          <dt>taken</dt>
          <dd>{plural(edge.count, "time")}</dd>
          <dt>of what follows</dt>
          <dd>{percent(edge.share)}</dd>
          <dt>time between</dt>
          <dd>{edge.median_gap_ms == null ? "–" : `${ms(edge.median_gap_ms)} in the middle`}</dd>
          <dt>then failed</dt>
          <dd>{percent(edge.error_share)}</dd>
        </dl>
      ) : (
        <p className="quiet">It is not among the steps shown now.</p>
      )}
      <p className={style.links}>
        {real.map((name) => (
          <Sessions key={name} words={words} add={term("endpoint", name)}>
            Sessions with {name}
          </Sessions>
        ))}
      </p>
      <Back onChoose={onChoose} />
    </>
  );
}

function Sessions({
  words,
  add,
  children,
}: {
  words: string[];
  add: string;
  children: React.ReactNode;
}) {
  return (
    <FilterLink word={[...words, add].join(" ")} className="button">
      {children}
    </FilterLink>
  );
}

function Back({ onChoose }: { onChoose: (key: null) => void }) {
  return (
    <p className={style.links}>
      <button type="button" className="button" onClick={() => onChoose(null)}>
        The whole flow <kbd>esc</kbd>
      </button>
    </p>
  );
}

interface ListProps {
  title: string;
  rows: { key: string; label: string; times: number; share?: number | null }[];
  /** What shares are of; where it is null rows have their own. */
  all: number | null;
  onChoose: (key: string) => void;
}

function List({ title, rows, all, onChoose }: ListProps) {
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {rows.slice(0, ROWS).map(({ key, label, times, share }) => (
          <li key={key}>
            <button type="button" className={style.pick} onClick={() => onChoose(key)}>
              <Meter
                label={<span className="mono">{label}</span>}
                share={share ?? (all ? times / all : null)}
                title={`${label}: ${plural(times, "time")}`}
              />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
