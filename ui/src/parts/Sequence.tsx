// What happened, as a sentence: `login ×37 401 · login ✓ · me · orders`.
import { Fragment } from "react";
import { count } from "../words/number";
import type { Run, Step } from "../words/sequence";
import { length } from "../words/time";
import style from "./Sequence.module.css";

interface Props {
  steps: Step[];
  /** Makes each step a button. */
  onPick?: (first: number) => void;
}

const READS = new Set(["GET", "HEAD", "OPTIONS", ""]);

export function Sequence({ steps, onPick }: Props) {
  return steps.map((step, index) => (
    <Fragment key={index}>
      {index > 0 && <span className={style.dot}> · </span>}
      {step.kind !== "pause" && onPick ? (
        <button type="button" className={style.pick} onClick={() => onPick(step.first)}>
          <StepText step={step} />
        </button>
      ) : (
        <StepText step={step} />
      )}
    </Fragment>
  ));
}

function StepText({ step }: { step: Step }) {
  if (step.kind === "pause") return <span className={style.pause}>{length(step.ms)} pause</span>;
  if (step.kind === "run") return <RunText run={step} />;
  return (
    <span>
      <span className={style.dot}>(</span>
      {step.runs.map((run, index) => (
        <Fragment key={index}>
          {index > 0 && <span className={style.dot}> · </span>}
          <RunText run={run} />
        </Fragment>
      ))}
      <span className={style.dot}>)</span>
      <Times value={step.count} />
    </span>
  );
}

function RunText({ run }: { run: Run }) {
  const isWrite = !READS.has(run.method);
  const isQuiet = run.name === "files";
  return (
    <span className={isQuiet ? style.quiet : undefined}>
      {isWrite && run.method !== "POST" && <span className={style.method}>{run.method} </span>}
      {run.name}
      {isWrite && run.outcome === "ok" && <span className={style.done}> ✓</span>}
      {run.count > 1 && <Times value={run.count} />}
      {run.outcome === "refused" && <span className={style.refused}> {run.status}</span>}
      {run.outcome === "failed" && <span className={style.failed}> {run.status}</span>}
      {run.outcome === "none" && <span className={style.refused}> no answer</span>}
    </span>
  );
}

function Times({ value }: { value: number }) {
  return value > 1 ? <span className={style.times}>×{count(value)}</span> : null;
}
