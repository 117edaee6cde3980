// The key finder: which places hold what looks like a session's key, and why.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { parse } from "yaml";
import type { Evidence, FinderReport, Proposal, UserProposal } from "../api/schema";
import { go } from "../app/router";
import { Bones, Empty, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { count, percent, plural } from "../words/number";
import { length } from "../words/time";
import { ChangeDialog, type By } from "../parts/ChangeDialog";
import { finderQuery, policyQuery, startFinder, stopFinder, useChange } from "./data";
import { keepDraft, keptDraft } from "./draft";
import { SampleFields } from "./SampleFields";
import style from "./Setup.module.css";
import { toYaml } from "./yaml";

export function KeysTab() {
  const finder = useQuery(finderQuery);
  const [asked, ask] = useState<"start" | "stop" | null>(null);
  const [sample, setSample] = useState({ clients_share: 0.05, minutes: 30 });
  const start = useChange((by: By) => startFinder(sample, by));
  const stop = useChange((by: By) => stopFinder(by));
  if (finder.isError) return <Failed error={finder.error} retry={() => void finder.refetch()} />;
  if (!finder.data) return <Bones rows={10} label="Findings are loading" />;
  const report = finder.data;
  return (
    <div className={style.list}>
      <Head report={report} onStart={() => ask("start")} onStop={() => ask("stop")} />
      <Found report={report} />
      {asked === "start" && (
        <ChangeDialog
          title="Look for keys"
          does="Look"
          pending={start.isPending}
          error={start.error}
          onSend={(by) => start.mutate(by, { onSuccess: () => ask(null) })}
          onClose={() => ask(null)}
        >
          <p className="soft">
            For a share of the clients, filters report the names of headers, cookies, query
            parameters and JSON fields, with keyed hashes of their values: never values.
          </p>
          <SampleFields sample={sample} onChange={setSample} />
        </ChangeDialog>
      )}
      {asked === "stop" && (
        <ChangeDialog
          title="Stop looking?"
          does="Stop"
          pending={stop.isPending}
          error={stop.error}
          onSend={(by) => stop.mutate(by, { onSuccess: () => ask(null) })}
          onClose={() => ask(null)}
        >
          <p className="soft">What was found stays.</p>
        </ChangeDialog>
      )}
    </div>
  );
}

interface HeadProps {
  report: FinderReport;
  onStart: () => void;
  onStop: () => void;
}

function Head({ report, onStart, onStop }: HeadProps) {
  return (
    <header className={style.cardHead}>
      <span className={report.running ? "ok" : "soft"}>
        {report.running ? "● looking" : "○ not looking"}
      </span>
      <span className="soft">
        {report.clients > 0 &&
          `${plural(report.requests, "request")} of ${plural(report.clients, "client")}`}
        {report.since != null && (
          <>
            , since <Time at={report.since} />
          </>
        )}
        {report.running && report.until != null && (
          <>
            , until <Time at={report.until} />
          </>
        )}
      </span>
      <span className={style.right}>
        {report.running && (
          <button type="button" className="button" onClick={onStop}>
            Stop…
          </button>
        )}
        <button type="button" className="button" onClick={onStart}>
          {report.since == null ? "Look for keys…" : "Look anew…"}
        </button>
      </span>
    </header>
  );
}

function Found({ report }: { report: FinderReport }) {
  if (report.keys.length + report.users.length === 0) {
    return (
      <Empty title={report.running ? "Nothing found yet" : "Which value tells a session?"}>
        <p>
          {report.running
            ? "Proposals come with the first requests of the sampled clients."
            : "Where you do not know what makes a session in your API, let the filters look: they rank the places that behave like a key, with the evidence."}
        </p>
      </Empty>
    );
  }
  return (
    <>
      {report.keys.map((proposal) => (
        <KeyProposal key={proposal.evidence.map(({ place }) => place).join()} proposal={proposal} />
      ))}
      {report.users.length > 0 && (
        <section className={`panel ${style.card}`} aria-label="Whose session it is">
          <h2>Whose session it is</h2>
          <p className="soft">
            Places that may name the user. Values are hashed until you drop it.
          </p>
          <EvidenceTable
            rows={report.users.map(({ evidence }) => evidence)}
            action={(index) => <AddUser proposal={report.users[index]} />}
          />
        </section>
      )}
    </>
  );
}

function KeyProposal({ proposal }: { proposal: Proposal }) {
  const names = proposal.evidence.map(({ place }) => place).join(" + ");
  const add = useAdd("keys", proposal.keys);
  return (
    <section className={`panel ${style.card}`} aria-label={`Proposal ${names}`}>
      <header className={style.cardHead}>
        <h2 className="mono">{names}</h2>
        <span className="soft">looks like a key: {percent(proposal.score)}</span>
        <span className={style.right}>
          <button type="button" className="button" onClick={add}>
            Add to the policy
          </button>
        </span>
      </header>
      <EvidenceTable rows={proposal.evidence} />
    </section>
  );
}

function AddUser({ proposal }: { proposal: UserProposal | undefined }) {
  const add = useAdd("parameters", proposal ? [proposal.parameter] : []);
  return (
    <button type="button" className="button" onClick={add}>
      Add
    </button>
  );
}

/** Writes entries at the end of a list of the policy's text, and goes there. */
function useAdd(list: "keys" | "parameters", entries: unknown[]): () => void {
  const policy = useQuery(policyQuery);
  return () => {
    if (!policy.data) return;
    const { version, policy: document } = policy.data;
    const kept = keptDraft();
    const base = (kept ? parse(kept.text) : (document ?? {})) as Record<string, unknown[]>;
    const text = toYaml({ ...base, [list]: [...(base[list] ?? []), ...entries] });
    keepDraft({ text, from: kept?.from ?? version });
    go("/setup/policy");
  };
}

interface EvidenceProps {
  rows: Evidence[];
  action?: (index: number) => React.ReactNode;
}

function EvidenceTable({ rows, action }: EvidenceProps) {
  return (
    <div className={style.wide} tabIndex={0} role="region" aria-label="Evidence">
      <table className={style.figures}>
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col">Requests with it</th>
            <th scope="col">Clients with it</th>
            <th scope="col">Values of a client</th>
            <th scope="col">Values several share</th>
            <th scope="col">Lives</th>
            <th scope="col">First in an answer</th>
            <th scope="col">New at login</th>
            {action && (
              <th scope="col">
                <span className="unseen">Add</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={row.place}>
              <th scope="row" className="mono">
                {row.place}
              </th>
              <td className="number">{percent(row.requests_share)}</td>
              <td className="number">{percent(row.clients_share)}</td>
              <td className="number">{row.values_per_client.toFixed(1)}</td>
              <td className="number">
                {count(row.shared_values)} of {count(row.values)}
              </td>
              <td className="number">{length(Math.round(row.lifetime_s * 1000))}</td>
              <td className="number">{percent(row.first_in_response)}</td>
              <td className="number">
                {row.changes_at_login == null ? "no login" : percent(row.changes_at_login)}
              </td>
              {action && <td className="number">{action(index)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
