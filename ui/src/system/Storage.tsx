// What is kept, for how long, and how much room it takes.
import type { LogStatus, StorageStatus, StoreStatus } from "../api/schema";
import { bytes, count, percent, plural } from "../words/number";
import style from "./System.module.css";

interface Props {
  log: LogStatus;
  store: StoreStatus;
  storage: StorageStatus;
}

/** What is durable, what of it is not in the database yet, and what the disk has. */
export function Storage({ log, store, storage }: Props) {
  const facts: [string, string, string][] = [
    ["Records stored", count(store.records), "ever"],
    ["Waits for the database", bytes(log.waiting_bytes), "durable in the log already"],
    ["Waits for the disk", bytes(log.queue_bytes), "in memory"],
    [
      "In closed segments",
      count(storage.segment_records),
      `${plural(storage.segments, "segment")}, ${bytes(storage.segment_bytes)}`,
    ],
  ];
  return (
    <section className={`panel ${style.facts}`} aria-label="Log and database">
      {facts.map(([name, value, about]) => (
        <Fact key={name} name={name} value={value} about={about} />
      ))}
      <Disk storage={storage} />
      <Fact
        name="Kept for"
        value={days(storage.retention_days)}
        about={
          storage.retention_achieved_days == null
            ? "nothing went before its time"
            : `the budget allowed ${days(storage.retention_achieved_days)}`
        }
        tone={storage.retention_alarm ? "bad" : undefined}
      />
    </section>
  );
}

interface FactProps {
  name: string;
  value: string;
  about: string;
  tone?: string | undefined;
}

function Fact({ name, value, about, tone }: FactProps) {
  return (
    <div className={style.fact}>
      <span className="soft">{name}</span>
      <strong className={tone}>{value}</strong>
      <span className="quiet">{about}</span>
    </div>
  );
}

/** The disk against the budget, as a bar where there is one. */
function Disk({ storage }: { storage: StorageStatus }) {
  const { disk_bytes: taken, budget_bytes: budget, days_until_budget: left } = storage;
  if (budget == null) {
    return <Fact name="On the disk" value={bytes(taken)} about="no budget is set" />;
  }
  const share = Math.min(1, taken / Math.max(1, budget));
  return (
    <div className={style.fact}>
      <span className="soft">On the disk</span>
      <strong>
        {bytes(taken)} <span className="soft">of {bytes(budget)}</span>
      </strong>
      <span className={style.budget} role="img" aria-label={`${percent(share)} of the budget`}>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span className="quiet">
        {left == null ? "what expires makes room" : `full in ${days(left)} at this rate`}
      </span>
    </div>
  );
}

/** `30 days`, `1.5 days`. */
const days = (value: number) => `${Number(value.toFixed(1))} ${value === 1 ? "day" : "days"}`;
