// Policies that are tried: what each would change, in numbers and examples.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "../app/Link";
import type { Candidate, CurrentPolicy } from "../api/schema";
import { Bones, Empty, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { percent } from "../words/number";
import { ChangeDialog, type By } from "../parts/ChangeDialog";
import { ComparisonView } from "./ComparisonView";
import {
  candidatesQuery,
  comparisonQuery,
  endCandidate,
  policyQuery,
  putPolicy,
  useChange,
} from "./data";
import { DiffView } from "./DiffView";
import style from "./Setup.module.css";
import { CandidateVerdicts } from "./CandidateVerdicts";
import { toYaml } from "./yaml";

export function CandidatesTab() {
  const candidates = useQuery(candidatesQuery);
  const policy = useQuery(policyQuery);
  if (candidates.isError) {
    return <Failed error={candidates.error} retry={() => void candidates.refetch()} />;
  }
  if (!candidates.data || !policy.data) return <Bones rows={10} label="Candidates are loading" />;
  const { items } = candidates.data;
  if (items.length === 0) {
    return (
      <Empty
        title="Nothing is tried now"
        actions={
          <Link className="button main" to="/setup/policy">
            Write a policy to try
          </Link>
        }
      >
        <p>
          A candidate is a policy that filters compute beside the real one, for a share of the
          clients. You see which sessions it would join or split before anything changes.
        </p>
      </Empty>
    );
  }
  return (
    <div className={style.list}>
      {items.map((candidate) => (
        <CandidateCard key={candidate.name} candidate={candidate} current={policy.data} />
      ))}
    </div>
  );
}

function CandidateCard({ candidate, current }: { candidate: Candidate; current: CurrentPolicy }) {
  const comparison = useQuery(comparisonQuery(candidate.name));
  const [asked, ask] = useState<"activate" | "end" | null>(null);
  const before = current.policy == null ? "" : toYaml(current.policy);
  const after = toYaml(candidate.policy);
  const activate = useChange((by: By) => putPolicy(after, current.version, by));
  const end = useChange((by: By) => endCandidate(candidate.name, by));
  return (
    <section className={`panel ${style.card}`} aria-label={`Candidate ${candidate.name}`}>
      <header className={style.cardHead}>
        <h2>{candidate.name}</h2>
        <span className={candidate.running ? "ok" : "soft"}>
          {candidate.running ? "● running" : "○ ended"}
        </span>
        <span className="soft">
          {percent(candidate.clients_share)} of the clients, by {candidate.author}, since{" "}
          <Time at={candidate.since} />, until <Time at={candidate.until} />
        </span>
        <span className={style.right}>
          <button type="button" className="button" onClick={() => ask("end")}>
            {candidate.running ? "End it…" : "Remove it…"}
          </button>
          <button
            type="button"
            className="button main"
            disabled={current.mode === "file"}
            onClick={() => ask("activate")}
          >
            Make it the policy…
          </button>
        </span>
      </header>
      {comparison.isError && <Failed error={comparison.error} />}
      {comparison.data ? (
        <ComparisonView comparison={comparison.data} />
      ) : (
        !comparison.isError && <Bones rows={6} label="The comparison is loading" />
      )}
      <CandidateVerdicts name={candidate.name} />
      <details className={style.details}>
        <summary>What it changes in the policy</summary>
        <DiffView before={before} after={after} />
      </details>
      {asked === "activate" && (
        <ChangeDialog
          title={`Make ${candidate.name} version ${current.version + 1}?`}
          does="Make it the policy"
          pending={activate.isPending}
          error={activate.error}
          onSend={(by) => activate.mutate(by, { onSuccess: () => ask(null) })}
          onClose={() => ask(null)}
        >
          <DiffView before={before} after={after} />
        </ChangeDialog>
      )}
      {asked === "end" && (
        <ChangeDialog
          title={`End the candidate ${candidate.name}?`}
          does="End it"
          pending={end.isPending}
          error={end.error}
          onSend={(by) => end.mutate(by, { onSuccess: () => ask(null) })}
          onClose={() => ask(null)}
        >
          <p className="soft">What it would change can no longer be seen then.</p>
        </ChangeDialog>
      )}
    </section>
  );
}
