import type { SessionWithVisits } from "../../api/schema";
import { micros } from "../../words/time";
import type { Scale } from "./scale";
import style from "./Timeline.module.css";
import { visitMarks } from "./visits";

interface Props {
  session: SessionWithVisits;
  time: Scale;
  /** The end of what is drawn, milliseconds. */
  until: number;
  /** The lane's line. */
  y: number;
}

/** Where each visit but the first begins: a line through the lane's own, and its number. */
export function VisitMarks({ session, time, until, y }: Props) {
  const begins = session.visit_list.map(({ first }) => micros(first) / 1000);
  const drawn = visitMarks(begins, session.visits, until, time.x);
  return (
    <g className={style.visits}>
      {drawn.map(({ number, x, isNamed }) => (
        <g key={number}>
          <line x1={x} x2={x} y1={y - 6} y2={y + 12} />
          {isNamed && (
            <text x={x + 4} y={y + 12}>
              visit {number}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}
