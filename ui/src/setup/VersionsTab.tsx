// The policy's past: what each version changed, who wanted it, and the way back.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { AuditEntry, Difference, PolicyVersion } from "../api/schema";
import { Bones, Empty, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { ChangeDialog, type By } from "../parts/ChangeDialog";
import { auditQuery, rollBack, useChange, versionQuery, versionsQuery } from "./data";
import style from "./Setup.module.css";

export function VersionsTab() {
  const versions = useQuery(versionsQuery);
  const audit = useQuery(auditQuery);
  if (versions.isError)
    return <Failed error={versions.error} retry={() => void versions.refetch()} />;
  if (!versions.data) return <Bones rows={8} label="Versions are loading" />;
  const { items } = versions.data;
  if (items.length === 0) {
    return (
      <Empty title="No version was set here yet">
        <p>Every change to the policy becomes a version that one can look at and go back to.</p>
      </Empty>
    );
  }
  return (
    <div className={style.columns}>
      <ol className={style.list}>
        {items.map((version, index) => (
          <li key={version.version}>
            <Version version={version} isCurrent={index === 0} />
          </li>
        ))}
      </ol>
      <aside className={style.aside}>
        <section className={`panel ${style.card}`} aria-label="Who did what">
          <h2>Who did what</h2>
          <ol className={style.audit}>
            {audit.data?.items.filter(isOfPolicy).map((entry) => (
              <li key={entry.number}>
                <Audit entry={entry} />
              </li>
            ))}
          </ol>
        </section>
      </aside>
    </div>
  );
}

function Version({ version, isCurrent }: { version: PolicyVersion; isCurrent: boolean }) {
  const [open, setOpen] = useState(isCurrent);
  const [asked, ask] = useState(false);
  const change = useChange((by: By) => rollBack(version.version, by));
  return (
    <section className={`panel ${style.card}`} aria-label={`Version ${version.version}`}>
      <header className={style.cardHead}>
        <h2>Version {version.version}</h2>
        {isCurrent && <span className="ok">● in use</span>}
        <span className="soft">
          {version.author}, <Time at={version.time} withDay />
          {version.rollback_to != null && `, version ${version.rollback_to} again`}
        </span>
        <span className={style.right}>
          <button
            type="button"
            className="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? "Hide" : "What it changed"}
          </button>
          {!isCurrent && (
            <button type="button" className="button" onClick={() => ask(true)}>
              Go back to it…
            </button>
          )}
        </span>
      </header>
      {version.comment !== "" && <p>{version.comment}</p>}
      {open && <Changes version={version.version} />}
      {asked && (
        <ChangeDialog
          title={`Go back to version ${version.version}?`}
          does="Go back to it"
          pending={change.isPending}
          error={change.error}
          onSend={(by) => change.mutate(by, { onSuccess: () => ask(false) })}
          onClose={() => ask(false)}
        >
          <p className="soft">
            Its text becomes a new version; nothing of the past is lost. Filters have it within two
            seconds.
          </p>
        </ChangeDialog>
      )}
    </section>
  );
}

/** Tokens are not this page's. */
function isOfPolicy(entry: AuditEntry): boolean {
  return entry.number !== null;
}

function Changes({ version }: { version: number }) {
  const { data, error } = useQuery(versionQuery(version));
  if (error) return <Failed error={error} />;
  if (!data) return <Bones rows={3} label="Changes are loading" />;
  if (data.changes.length === 0)
    return <p className="soft">It says what the version before said.</p>;
  return (
    <div
      className={style.wide}
      tabIndex={0}
      role="region"
      aria-label={`Changes of version ${version}`}
    >
      <table className={style.figures}>
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {data.changes.map((change) => (
            <tr key={change.place}>
              <th scope="row" className="mono">
                {change.place}
              </th>
              <td className={`mono ${style.before ?? ""}`}>{shown(change.before)}</td>
              <td className={`mono ${style.after ?? ""}`}>{shown(change.after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const shown = (value: Difference["before"] | undefined) =>
  value == null ? "–" : JSON.stringify(value);

const ACTIONS: Record<string, string> = {
  policy: "set version",
  rollback: "went back, version",
  candidate: "tries",
  candidate_deleted: "ended the candidate",
  finder: "looks for keys",
  finder_stopped: "stopped looking for keys",
};

function Audit({ entry }: { entry: AuditEntry }) {
  return (
    <>
      <span className="soft">
        <Time at={entry.time} withDay />
      </span>{" "}
      {entry.author} {ACTIONS[entry.action] ?? entry.action} {entry.version ?? entry.candidate}
      {entry.comment !== "" && <div className="quiet">{entry.comment}</div>}
    </>
  );
}
