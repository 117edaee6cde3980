import type { DetectionStatus } from "../api/schema";
import { Link } from "../app/Link";
import { Notice } from "../parts/State";
import { botName } from "../words/bot";
import { bytes, count, plural } from "../words/number";
import { length } from "../words/time";
import style from "./System.module.css";

/** How far the log is judged, and what is known of each application. */
export function Detection({ detection }: { detection: DetectionStatus }) {
  const verdicts = Object.entries(detection.verdicts).sort(([, one], [, other]) => other - one);
  return (
    <section className={`panel ${style.card}`} aria-label="Bot detection">
      <header className={style.cardHead}>
        <h2>Bot detection</h2>
        <span className={detection.caught_up ? "ok" : "warn"}>
          {detection.caught_up ? "● judges as records come" : "○ reads what came before"}
        </span>
        <span className="soft">
          {detection.lag_bytes === 0
            ? "nothing waits"
            : `${plural(detection.lag_records, "record")} wait (${bytes(detection.lag_bytes)}, ${length(Math.round(detection.lag_seconds * 1000))})`}
          {`, ${plural(detection.sessions, "live session")} in memory`}
        </span>
      </header>
      {detection.failing != null && (
        <Notice tone="warn">No snapshot can be written: {detection.failing}</Notice>
      )}
      <p>
        {verdicts.length === 0 ? (
          <span className="quiet">No verdict since the start.</span>
        ) : (
          verdicts.map(([type, times], index) => (
            <span key={type}>
              {index > 0 && " · "}
              <Link to={`/bots?type=${type}`}>{botName(type)}</Link> {count(times)}
            </span>
          ))
        )}
      </p>
      <p className="soft">
        {detection.applications.map(({ application, state }, index) => (
          <span key={application}>
            {index > 0 && " · "}
            {application}: {state === "ready" ? "limits are learnt" : "still being learnt"}
          </span>
        ))}
      </p>
    </section>
  );
}
