// How the service is doing: who sends, what arrived, and what is missing, with the reason.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import type { Status } from "../api/schema";
import { forgetTokens, token } from "../api/tokens";
import { Page } from "../parts/Page";
import { Bones, Failed, Notice } from "../parts/State";
import { Time } from "../parts/Time";
import { plural } from "../words/number";
import { Books } from "./Books";
import { statusQuery } from "./data";
import { Detection } from "./Detection";
import { EnvoyTable } from "./EnvoyTable";
import { Quarantine } from "./Quarantine";
import { Storage } from "./Storage";
import { WorkerTable } from "./WorkerTable";

export default function SystemPage() {
  const status = useQuery(statusQuery);
  if (!status.data) {
    if (status.isError) return <Failed error={status.error} retry={() => void status.refetch()} />;
    return <Bones rows={14} label="The books are loading" />;
  }
  const { data } = status;
  return (
    <Page
      title="System"
      note={
        <>
          Throughline {data.version}, running since <Time at={data.started} withDay />
        </>
      }
      actions={
        <>
          {token("read") !== null && (
            <button
              type="button"
              className="button"
              onClick={() => {
                forgetTokens();
                window.location.reload();
              }}
            >
              Sign out
            </button>
          )}
          <Link className="button" to="/system/connect">
            Connect an Envoy
          </Link>
        </>
      }
    >
      {status.isError && (
        <Notice tone="bad">
          The service does not answer: these are the last figures. {status.error.message}
        </Notice>
      )}
      <Trouble status={data} />
      <Books status={data} />
      <WorkerTable workers={data.workers} policy={data.policy} now={data.now} />
      <EnvoyTable envoys={data.envoys} now={data.now} />
      <Detection detection={data.detection} />
      <Storage log={data.log} store={data.store} storage={data.storage} />
      <Quarantine count={data.totals.quarantined} />
    </Page>
  );
}

/** What someone has to do something about, the worst first. */
function Trouble({ status }: { status: Status }) {
  const { log, store, storage, policy, totals, workers } = status;
  const refused = workers.filter((worker) => worker.refused != null && worker.state === "live");
  return (
    <>
      {log.failing != null && <Notice tone="bad">The log cannot be written: {log.failing}</Notice>}
      {store.failing != null && (
        <Notice tone="bad">The database cannot be written: {store.failing}</Notice>
      )}
      {store.sums_failing != null && (
        <Notice tone="bad">
          Lists stand still, as sessions cannot be summed: {store.sums_failing}
        </Notice>
      )}
      {store.waiting && (
        <Notice tone="warn">
          Segments are closed more slowly than they fill: storing waits for them, and the log holds
          what comes.
        </Notice>
      )}
      {storage.failing != null && (
        <Notice tone="bad">Nothing can be closed or expired: {storage.failing}</Notice>
      )}
      {storage.retention_alarm && (
        <Notice tone="warn">
          Records went before their time: the disk budget is too small for{" "}
          {plural(Math.round(storage.retention_days), "day")}.
        </Notice>
      )}
      {storage.missing_files > 0 && (
        <Notice tone="bad">
          {plural(storage.missing_files, "file")} of closed segments should be there, and is not or
          was cut: what it held is missing.
        </Notice>
      )}
      {policy.failing != null && (
        <Notice tone="bad">The policy's file is not used: {policy.failing}</Notice>
      )}
      {refused.map(({ node, worker, refused: why }) => (
        <Notice key={`${node}-${worker}`} tone="warn">
          {node}, worker {worker} goes on with the policy before: {why?.why}
        </Notice>
      ))}
      {policy.drifting.length > 0 && (
        <Notice tone="warn">
          {plural(policy.drifting.length, "live worker")} still run another policy than{" "}
          {policy.policy_version}
        </Notice>
      )}
      {!totals.balanced && (
        <Notice tone="bad">
          The books do not balance: a worker delivered more than it says it saw.
        </Notice>
      )}
      {log.gaps.length > 0 && (
        <Notice tone="bad">
          {plural(log.gaps.length, "stretch", "stretches")} of the log could not be read: their
          records are missing.
        </Notice>
      )}
    </>
  );
}
