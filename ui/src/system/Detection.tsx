import type { DetectionStatus } from "../api/schema";
import { Link } from "../app/Link";
import { Card } from "../parts/Card";
import { Notice } from "../parts/State";
import { botName } from "../words/bot";
import { bytes, count, plural } from "../words/number";
import { length } from "../words/time";

/** How far the log is judged, and what is known of each application. */
export function Detection({ detection }: { detection: DetectionStatus }) {
  const verdicts = Object.entries(detection.verdicts).sort(([, one], [, other]) => other - one);
  return (
    <Card
      title="Bot detection"
      note={
        <>
          <span className={detection.caught_up ? "ok" : "warn"}>
            {detection.caught_up ? "● judges as records come" : "○ reads what came before"}
          </span>{" "}
          {detection.lag_bytes === 0
            ? "nothing waits"
            : `${plural(detection.lag_records, "record")} wait (${bytes(detection.lag_bytes)}, ${length(Math.round(detection.lag_seconds * 1000))})`}
          {`, ${plural(detection.sessions, "live session")} in memory`}
        </>
      }
    >
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
    </Card>
  );
}
