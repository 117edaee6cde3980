import type { VerdictWithEvidence } from "../../api/schema";
import { botName } from "../../words/bot";
import { plural } from "../../words/number";
import { micros } from "../../words/time";
import type { Scale } from "./scale";
import style from "./Timeline.module.css";

interface Props {
  verdict: VerdictWithEvidence;
  time: Scale;
  /** The lane's line. */
  y: number;
  right: number;
}

const LABEL_PX = 250;

/** Where it was held for a bot the first time: a dashed line with words. */
export function VerdictMark({ verdict, time, y, right }: Props) {
  const first = verdict.history.at(-1);
  if (!first) return null;
  const x = time.x(micros(first.time) / 1000) + 3;
  const isLate = x > right - LABEL_PX;
  return (
    <g className={style.verdict}>
      <line x1={x} x2={x} y1={y - 44} y2={y + 8} />
      <text x={isLate ? x - 6 : x + 6} y={y - 36} textAnchor={isLate ? "end" : "start"}>
        {botName(first.bot_type)} after {plural(first.requests, "request")}
      </text>
    </g>
  );
}
