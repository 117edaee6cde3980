// What a place shows when it has nothing to show: five different things, each with a way on.
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import style from "./State.module.css";

interface StateProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}

/** Nothing there yet, or nothing that matches: say which, and what to do. */
export function Empty({ title, children, actions }: StateProps) {
  return (
    <section className={style.state}>
      <h2>{title}</h2>
      {children}
      {actions && <div className={style.actions}>{actions}</div>}
    </section>
  );
}

/** What the API said, with its remedy. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = asProblem(error);
  return (
    <section className={`${style.state} ${style.problem}`} role="alert">
      <h2>{problem.title}</h2>
      <p>{problem.detail}</p>
      {problem.place != null && <p className={style.where}>at {problem.place}</p>}
      {problem.remedy != null && <p>{problem.remedy}</p>}
      {retry && (
        <div className={style.actions}>
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </section>
  );
}

/** Bars in the size of the rows that come. */
export function Bones({ rows, label }: { rows: number; label: string }) {
  const long = [62, 48, 71, 55, 66, 40];
  return (
    <div className={`${style.bones} shimmer`} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        <div
          key={row}
          className={style.bone}
          style={{ "--long": `${long[row % long.length] ?? 50}%` } as React.CSSProperties}
        />
      ))}
    </div>
  );
}

interface NoticeProps {
  tone?: "bad" | "warn" | "ok" | "plain";
  children: ReactNode;
}

/** A line above what it is about; what is there stays. */
export function Notice({ tone = "plain", children }: NoticeProps) {
  const kind = tone === "plain" ? "" : (style[tone] ?? "");
  return (
    <div className={`${style.notice} ${kind}`} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
