// A queue of verdicts to judge on the left, the evidence on the right.
import { useCallback } from "react";
import { useKeys } from "../app/keys";
import { Link } from "../app/Link";
import { go, setQuery, usePlace } from "../app/router";
import type { Verdict } from "../api/schema";
import { term } from "../filter/words";
import { ExportMenu } from "../parts/ExportMenu";
import { Bones, Empty, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { BOT_TYPES, botName, withoutName } from "../words/bot";
import { plural } from "../words/number";
import { Badge } from "../verdict/Badge";
import { useVerdicts, type VerdictQuery } from "../verdict/data";
import { VerdictCard } from "../verdict/VerdictCard";
import style from "./Bots.module.css";

/** What one may want to see. */
const VIEWS: readonly [string, string, VerdictQuery][] = [
  ["active", "Active", { state: "active" }],
  ["flagged", "Flagged", { state: "active", flagged: true }],
  ["rejected", "Rejected", { state: "rejected" }],
  ["expired", "Expired", { state: "expired" }],
  ["all", "All", {}],
];

/** What can be taken along: all verdicts, or those of a type. */
const LISTS = [["verdicts", "Verdicts"]] as const;

export function VerdictsTab() {
  const { query } = usePlace();
  const view = VIEWS.find(([name]) => name === query.get("view")) ?? VIEWS[0];
  const type = query.get("type");
  const asked = { ...view?.[2], ...(type !== null && { bot_type: type }) };
  const verdicts = useVerdicts(asked);
  const { rows } = verdicts;
  const chosen = rows.find(({ id }) => id === query.get("at")) ?? rows[0];
  const choose = useCallback((id: string) => setQuery({ at: id }, { replace: true }), []);
  const move = (by: number) => {
    const at = rows.findIndex(({ id }) => id === chosen?.id);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) choose(next.id);
  };
  useKeys("Verdicts", [
    { key: "j", does: "next verdict", run: () => move(1) },
    { key: "k", does: "verdict before", run: () => move(-1) },
    {
      key: "Enter",
      does: "open the session",
      run: () => chosen && go(`/sessions/${chosen.subject}`),
    },
  ]);
  return (
    <>
      <div className={style.header}>
        <nav className={style.views} aria-label="Which verdicts">
          {VIEWS.map(([name, title]) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === view?.[0]}
              onClick={() => setQuery({ view: name === "active" ? null : name, at: null })}
            >
              {title}
            </button>
          ))}
        </nav>
        <select
          className="field"
          aria-label="Type of bot"
          value={type ?? ""}
          onChange={(event) => setQuery({ type: event.target.value, at: null })}
        >
          <option value="">All types</option>
          {BOT_TYPES.map((one) => (
            <option key={one} value={one}>
              {botName(one)}
            </option>
          ))}
        </select>
        <ExportMenu lists={LISTS} q={type === null ? undefined : term("verdict", type)} />
      </div>
      {verdicts.isError && rows.length === 0 ? (
        <Failed error={verdicts.error} retry={() => void verdicts.refetch()} />
      ) : verdicts.isPending ? (
        <Bones rows={14} label="Verdicts are loading" />
      ) : chosen === undefined ? (
        <Nobody isFiltered={view?.[0] !== "active" || type !== null} />
      ) : (
        <div className={style.columns}>
          <section className={`panel ${style.queue}`} aria-label="Verdicts">
            <ul>
              {rows.map((verdict) => (
                <li key={verdict.id}>
                  <Row verdict={verdict} isChosen={verdict.id === chosen.id} onChoose={choose} />
                </li>
              ))}
            </ul>
            {verdicts.hasNextPage && (
              <button
                type="button"
                className="button"
                onClick={() => void verdicts.fetchNextPage()}
              >
                More
              </button>
            )}
          </section>
          <section className={`panel ${style.detail}`}>
            <p className={style.whom}>
              <Link className="mono" to={`/sessions/${chosen.subject}`}>
                {chosen.subject}
              </Link>{" "}
              <span className="soft">
                in <Value field="app" value={chosen.application} />,{" "}
                {plural(chosen.requests, "request")} until <Time at={chosen.last} />
              </span>
            </p>
            <VerdictCard key={chosen.id} id={chosen.id} />
          </section>
        </div>
      )}
    </>
  );
}

interface RowProps {
  verdict: Verdict;
  isChosen: boolean;
  onChoose: (id: string) => void;
}

function Row({ verdict, isChosen, onChoose }: RowProps) {
  const reason = verdict.reasons[0];
  return (
    <button
      type="button"
      className={isChosen ? `${style.row} ${style.chosen}` : style.row}
      aria-pressed={isChosen}
      onClick={() => onChoose(verdict.id)}
    >
      <span className={style.line}>
        <Badge
          type={verdict.bot_type}
          confidence={verdict.confidence}
          state={verdict.state}
          flagged={verdict.flagged}
        />
        <span className="soft">
          {verdict.label?.label != null && <>{verdict.label.label} · </>}
          <Time at={verdict.last} />
        </span>
      </span>
      <span className={`soft ${style.reason}`}>
        {reason === undefined ? "No evidence is stored" : `${name(reason)}: ${withoutName(reason)}`}
      </span>
    </button>
  );
}

/** The detector that a sentence begins with. */
const name = (reason: string) => {
  const word = reason.split(":")[0] ?? "";
  return word.charAt(0).toUpperCase() + word.slice(1);
};

function Nobody({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty
      title="No such verdict"
      actions={
        <button
          type="button"
          className="button"
          onClick={() => setQuery({ view: "all", type: null, at: null })}
        >
          All verdicts
        </button>
      }
    />
  ) : (
    <Empty
      title="Nobody is held for a bot"
      actions={
        <Link className="button" to="/sessions">
          Sessions
        </Link>
      }
    >
      <p>
        Every session is judged as it goes on. While an application is new, limits are cautious: see
        System for how far it is known.
      </p>
    </Empty>
  );
}
