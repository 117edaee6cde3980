import { memo } from "react";
import { Sequence } from "../parts/Sequence";
import { plural } from "../words/number";
import type { Step } from "../words/sequence";
import style from "./Session.module.css";

interface Props {
  steps: Step[];
  known: number;
  all: number;
  onPick: (first: number) => void;
}

/** The sequence as a sentence; each step leads to its first request. */
export const InWords = memo(function InWords({ steps, known, all, onPick }: Props) {
  return (
    <section className={`panel ${style.words}`} aria-label="What happened">
      <h2 className={style.title}>
        In words
        {known > 0 && known < all && (
          <span className="quiet"> of the first {plural(known, "request")}</span>
        )}
      </h2>
      <p className="mono">
        {steps.length === 0 ? (
          <span className="quiet">…</span>
        ) : (
          <Sequence steps={steps} onPick={onPick} />
        )}
      </p>
    </section>
  );
});
