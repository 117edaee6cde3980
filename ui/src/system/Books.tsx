// seen = stored + quarantined + dropped + pending + lost: where every record is.
import { useEffect, useState } from "react";
import type { Status } from "../api/schema";
import { count, plural } from "../words/number";
import { rates, withSample, type Sample } from "./rate";
import { Sparkline } from "./Sparkline";
import style from "./System.module.css";

interface Sum {
  name: string;
  value: number;
  about: string;
  /** Wrong when it is not zero. */
  isLoss?: boolean;
}

export function Books({ status }: { status: Status }) {
  const { totals } = status;
  const sums: Sum[] = [
    { name: "stored", value: totals.stored, about: "in the database" },
    { name: "pending", value: totals.pending, about: "in a filter, on the way, or in the log" },
    {
      name: "quarantined",
      value: totals.quarantined,
      about: "lines that could not be read",
      isLoss: true,
    },
    { name: "dropped", value: totals.dropped, about: "given up by a filter", isLoss: true },
    { name: "lost", value: totals.lost, about: "with a worker that vanished", isLoss: true },
  ];
  const hasEnvoys = status.envoys.length > 0;
  return (
    <section className={`panel ${style.books}`} aria-label="The books">
      <div className={style.equation}>
        <Figure name="seen" value={totals.seen} about="by filters" />
        <span className={style.sign}>=</span>
        {sums.map((sum, index) => (
          <span key={sum.name} className={style.part}>
            {index > 0 && <span className={style.sign}>+</span>}
            <Figure {...sum} />
          </span>
        ))}
      </div>
      <p className="soft">
        {totals.balanced ? (
          <span className="ok">✓ the books balance</span>
        ) : (
          <span className="bad">✗ they do not balance</span>
        )}
        {hasEnvoys && (
          <>
            {" · "}
            <span className={totals.bypassed > 0 ? "warn" : undefined}>
              {plural(totals.bypassed, "request")} that no filter saw
            </span>
          </>
        )}
        {totals.unknown.workers > 0 && (
          <span className="warn">
            {" "}
            · {plural(totals.unknown.workers, "vanished worker")} may have seen more: at least{" "}
            {count(totals.unknown.at_least)}
          </span>
        )}
      </p>
      <Arriving now={status.now} stored={totals.stored} />
    </section>
  );
}

function Figure({ name, value, about, isLoss = false }: Sum) {
  const tone = isLoss && value > 0 ? "bad" : value === 0 ? "quiet" : undefined;
  return (
    <div className={style.figure} title={about}>
      <span className={`${style.big} ${tone ?? ""}`}>{count(value)}</span>
      <span className="soft">{name}</span>
    </div>
  );
}

/** Records per second while the page is open. */
function Arriving({ now, stored }: { now: string; stored: number }) {
  const [samples, setSamples] = useState<Sample[]>([]);
  useEffect(() => {
    setSamples((known) => withSample(known, { at: Date.parse(now), stored }));
  }, [now, stored]);
  const each = rates(samples);
  const last = each.at(-1);
  return (
    <div className={style.arriving}>
      <span>
        {last === undefined ? "–" : count(Math.round(last))} <span className="soft">records/s</span>
      </span>
      <Sparkline values={each} label="Records per second since the page is open" />
    </div>
  );
}
