// The policy as text that can be changed, and how its rules do.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { parse } from "yaml";
import { ApiProblem } from "../api/problem";
import type { CurrentPolicy } from "../api/schema";
import { Time } from "../parts/Time";
import { Bones, Failed, Notice } from "../parts/State";
import { ChangeDialog, type By } from "../parts/ChangeDialog";
import { policyQuery, putPolicy, useChange } from "./data";
import { slip } from "./editor/check";
import { DiffView } from "./DiffView";
import { keepDraft, keptDraft } from "./draft";
import { Editor } from "./editor/Editor";
import { RuleShares } from "./RuleShares";
import style from "./Setup.module.css";
import { TryDialog } from "./TryDialog";
import { lineOf, syntaxFault, toYaml, type Fault } from "./yaml";

/** Where to begin while filters still run the policy of their own configuration. */
const FIRST = `# The first rule that finds a value makes the session; docs/policy.md shows every place.
applications:
  - name: api
    hosts: ["*"]
keys:
  - name: login_token
    from:
      bearer: {}
fallback: ip_user_agent
`;

export function PolicyTab() {
  const policy = useQuery(policyQuery);
  if (policy.isError && !policy.data) {
    return <Failed error={policy.error} retry={() => void policy.refetch()} />;
  }
  if (!policy.data) return <Bones rows={14} label="The policy is loading" />;
  return <Policy key={policy.data.version} current={policy.data} />;
}

function Policy({ current }: { current: CurrentPolicy }) {
  const before = current.policy == null ? "" : toYaml(current.policy);
  const [draft, setDraft] = useState(keptDraft);
  const [asked, ask] = useState<"activate" | "try" | null>(null);
  const [refusal, setRefusal] = useState<unknown>(null);
  const text = draft?.text ?? (before === "" ? FIRST : before);
  const isChanged = draft !== null && draft.text !== before;
  const write = (written: string) => {
    const next = { text: written, from: draft?.from ?? current.version };
    keepDraft(next);
    setDraft(next);
    setRefusal(null);
  };
  const forget = () => {
    keepDraft(null);
    setDraft(null);
    setRefusal(null);
  };
  const activate = useChange((by: By) => putPolicy(text, current.version, by));
  const fault = syntaxFault(text) ?? slipIn(text) ?? faultOf(text, refusal);
  const isFile = current.mode === "file";
  return (
    <div className={style.columns}>
      <section className={style.main}>
        <Where current={current} />
        {draft !== null && draft.from !== current.version && isChanged && (
          <Notice tone="warn">
            Your text began from version {draft.from}; by now it is version {current.version}. What
            differs is shown before anything changes.
          </Notice>
        )}
        <Editor text={text} onChange={write} fault={fault} readOnly={isFile} />
        <div className={style.bar}>
          <button
            type="button"
            className="button main"
            disabled={isFile || fault !== null || (!isChanged && before !== "")}
            onClick={() => ask("activate")}
          >
            Make it the policy…
          </button>
          <button
            type="button"
            className="button"
            disabled={fault !== null}
            onClick={() => ask("try")}
          >
            Try it beside the policy…
          </button>
          {isChanged && (
            <button type="button" className="button" onClick={forget}>
              Take back my changes
            </button>
          )}
          {isFile && <span className="soft">The policy is a file: change it there.</span>}
        </div>
      </section>
      <aside className={style.aside}>
        <RuleShares />
      </aside>
      {asked === "activate" && (
        <ChangeDialog
          title={`Make it version ${current.version + 1}?`}
          does="Make it the policy"
          pending={activate.isPending}
          error={activate.error}
          onSend={(by) =>
            activate.mutate(by, {
              onSuccess: () => {
                forget();
                ask(null);
              },
              onError: (error) => {
                if (!(error instanceof ApiProblem) || error.problem.status !== 422) return;
                setRefusal(error);
                ask(null);
              },
            })
          }
          onClose={() => ask(null)}
        >
          <p className="soft">
            Filters have it within two seconds. Requests that begin then are grouped by it; sessions
            of the past stay as they are.
          </p>
          <DiffView before={before} after={text} />
        </ChangeDialog>
      )}
      {asked === "try" && (
        <TryDialog
          text={text}
          onClose={() => ask(null)}
          onRefused={(error) => {
            setRefusal(error);
            ask(null);
          }}
        />
      )}
    </div>
  );
}

/** What the schema alone shows. */
function slipIn(text: string): Fault | null {
  const found = slip(parse(text));
  return found && { line: lineOf(text, found.place), why: `${found.place}: ${found.why}` };
}

function faultOf(text: string, refusal: unknown): Fault | null {
  if (!(refusal instanceof ApiProblem)) return null;
  // A candidate's policy stands one level deeper.
  const place = (refusal.problem.place ?? "").replace(/^policy\.?/, "");
  return {
    line: lineOf(text, place),
    why: `${place === "" ? "" : `${place}: `}${refusal.problem.detail}`,
  };
}

function Where({ current }: { current: CurrentPolicy }) {
  if (current.mode === "bootstrap") {
    return (
      <Notice>
        No policy was set here yet: filters run the one of their own Envoy configuration. The first
        one that you set here takes its place on all of them.
      </Notice>
    );
  }
  return (
    <p className="soft">
      {current.mode === "file" ? (
        <>
          The file <code>{current.file}</code>, on records as <code>{current.policy_version}</code>
        </>
      ) : (
        <>
          Version {current.version} by {current.author}
          {current.time != null && (
            <>
              , <Time at={current.time} withDay />
            </>
          )}
          {current.comment != null && current.comment !== "" && `: ${current.comment}`}
        </>
      )}
      {current.failing != null && <span className="bad"> · {current.failing}</span>}
    </p>
  );
}
