// How visits go: from which endpoint to which, where they begin, and where they end.
import { useRef } from "react";
import { useKeys } from "../../app/keys";
import { setQuery, usePlace } from "../../app/router";
import { listState } from "../../filter/url";
import { Bones, Empty, Failed } from "../../parts/State";
import { useWidth } from "../../table/useWidth";
import { useTransitions } from "../data";
import style from "./Flow.module.css";
import { FlowGraph } from "./FlowGraph";
import { FlowSide } from "./FlowSide";

const SIZES = [6, 10, 16, 24];
const USUAL = 10;
/** Whose visits: a term of the filter, and its words. */
const WHOSE = [
  ["", "Everyone"],
  ["-has:verdict", "Without a verdict"],
  ["has:verdict", "Held for bots"],
] as const;

export function FlowTab({ q }: { q: string | undefined }) {
  const { query } = usePlace();
  const size = Number(query.get("size") ?? USUAL);
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const flow = useTransitions(q, size, query.get("files") === "1");
  const { words } = listState(query);
  const whose = WHOSE.find(([word]) => word !== "" && words.includes(word))?.[0] ?? "";
  const setWhose = (word: string) => {
    const others = words.filter((other) => !WHOSE.some(([known]) => known === other));
    setQuery({ q: [...others, word].filter(Boolean).join(" ") });
  };
  const chosen = query.get("at");
  const choose = (at: string | null) => setQuery({ at }, { replace: true });
  useKeys("Flow", [{ key: "Escape", does: "choose nothing", run: () => choose(null) }]);
  if (flow.isError && !flow.data) {
    return <Failed error={flow.error} retry={() => void flow.refetch()} />;
  }
  const { data } = flow;
  return (
    <>
      <div className={style.tools}>
        <div className={style.whose} role="group" aria-label="Whose visits">
          {WHOSE.map(([word, title]) => (
            <button
              key={word}
              type="button"
              className="button"
              aria-pressed={word === whose}
              onClick={() => setWhose(word)}
            >
              {title}
            </button>
          ))}
        </div>
        <label>
          Endpoints shown{" "}
          <select
            className="field"
            value={size}
            onChange={(event) => setQuery({ size: event.target.value, at: null })}
          >
            {SIZES.map((many) => (
              <option key={many}>{many}</option>
            ))}
          </select>
        </label>
        <label className={style.check}>
          <input
            type="checkbox"
            checked={query.get("files") === "1"}
            onChange={(event) => setQuery({ files: event.target.checked ? "1" : null })}
          />
          files of pages too
        </label>
      </div>
      <div className={flow.isPlaceholderData ? `${style.columns} ${style.old}` : style.columns}>
        <section className={`panel ${style.picture}`} aria-label="Flow" tabIndex={0}>
          <div ref={place}>
            {!data ? (
              <Bones rows={12} label="The flow is loading" />
            ) : data.visits === 0 ? (
              <Empty title="No visit in this time that fits the filter" />
            ) : (
              <FlowGraph flow={data} width={width} chosen={chosen} onChoose={choose} />
            )}
          </div>
        </section>
        {data && data.visits > 0 && (
          <FlowSide flow={data} words={words} chosen={chosen} onChoose={choose} />
        )}
      </div>
    </>
  );
}
