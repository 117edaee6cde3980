import { useState } from "react";
import type { PolicyStatus, Worker } from "../api/schema";
import { Card, Figures } from "../parts/Card";
import { Time } from "../parts/Time";
import { count, plural } from "../words/number";
import { ago } from "../words/time";

interface Props {
  workers: Worker[];
  policy: PolicyStatus;
  now: string;
}

const HEAD = [
  "Worker",
  "State",
  "Policy",
  "Filter",
  "Last contact",
  "#Seen",
  "#Stored",
  "#Pending",
  "#Dropped",
  "#Lost",
];

/** Every filter worker; those that vanished on request. */
export function WorkerTable({ workers, policy, now }: Props) {
  const [all, setAll] = useState(false);
  const gone = workers.filter(({ state }) => state === "vanished").length;
  const shown = workers.filter(({ state }) => all || state === "live");
  return (
    <Card
      title="Filter workers"
      note={
        <>
          {" "}
          {workers.length - gone} live{gone > 0 && `, ${gone} vanished`}
          {policy.policy_version != null &&
            `, policy ${policy.policy_version} on ${policy.current_workers}`}
        </>
      }
      actions={
        gone > 0 && (
          <button type="button" className="button" onClick={() => setAll(!all)}>
            {all ? "Only live ones" : `Show ${plural(gone, "vanished one")}`}
          </button>
        )
      }
    >
      {shown.length === 0 ? (
        <p className="quiet">No live worker: no Envoy with the filter sends to this service now.</p>
      ) : (
        <Figures label="Workers" head={HEAD}>
          {shown.map((worker) => (
            <WorkerRow
              key={`${worker.boot}-${worker.worker}`}
              worker={worker}
              wanted={policy.policy_version ?? null}
              now={now}
            />
          ))}
        </Figures>
      )}
    </Card>
  );
}

function WorkerRow({
  worker,
  wanted,
  now,
}: {
  worker: Worker;
  wanted: string | null;
  now: string;
}) {
  const drifts = wanted !== null && worker.policy_version !== wanted && worker.state === "live";
  return (
    <tr>
      <th scope="row">
        {worker.node} <span className="soft">{worker.worker}</span>{" "}
        <span className="quiet mono" title={`boot ${worker.boot}, ${worker.capture_point}`}>
          {worker.boot.slice(0, 6)}
        </span>
      </th>
      <td className={worker.state === "live" ? "ok" : "warn"}>
        {worker.state === "live" ? "● live" : "○ vanished"}
      </td>
      <td className={drifts ? "warn mono" : "mono"}>
        {worker.policy_version}
        {drifts && " ≠"}
      </td>
      <td className="soft">{worker.filter_version}</td>
      <td title={worker.last_contact}>
        {worker.state === "live" ? (
          ago(worker.last_contact, Date.parse(now))
        ) : (
          <Time at={worker.last_contact} />
        )}
      </td>
      <td className="number">{count(worker.seen)}</td>
      <td className="number">{count(worker.stored)}</td>
      <Loss value={worker.pending} tone="soft" />
      <Loss
        value={worker.dropped.total}
        tone="bad"
        title={`${worker.dropped.buffer_full} the buffer was full, ${worker.dropped.rejected} refused, ${worker.dropped.unwritable} could not be written`}
      />
      <Loss value={worker.lost} tone="bad" />
    </tr>
  );
}

function Loss({ value, tone, title }: { value: number; tone: string; title?: string }) {
  return (
    <td className={`number ${value > 0 ? tone : "quiet"}`} title={title}>
      {count(value)}
    </td>
  );
}
