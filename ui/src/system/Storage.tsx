import type { LogStatus, StoreStatus } from "../api/schema";
import { bytes, count, plural } from "../words/number";
import style from "./System.module.css";

/** What is durable, and what of it is not in the database yet. */
export function Storage({ log, store }: { log: LogStatus; store: StoreStatus }) {
  const facts: [string, string, string][] = [
    ["Records stored", count(store.records), "ever"],
    ["Waits for the database", bytes(log.waiting_bytes), "durable in the log already"],
    ["Waits for the disk", bytes(log.queue_bytes), "in memory"],
    ["Log written", bytes(log.end), `${plural(log.segments, "segment")} on disk`],
  ];
  return (
    <section className={`panel ${style.facts}`} aria-label="Log and database">
      {facts.map(([name, value, about]) => (
        <div key={name} className={style.fact}>
          <span className="soft">{name}</span>
          <strong>{value}</strong>
          <span className="quiet">{about}</span>
        </div>
      ))}
    </section>
  );
}
