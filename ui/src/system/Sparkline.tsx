import style from "./System.module.css";

interface Props {
  values: number[];
  label: string;
}

const WIDE = 360;
const HIGH = 36;
const STEP = 4;

/** The last values as a line; the highest is the top. */
export function Sparkline({ values, label }: Props) {
  const most = Math.max(1, ...values);
  const shown = values.slice(-WIDE / STEP);
  const left = WIDE - (shown.length - 1) * STEP;
  const points = shown.map(
    (value, index) =>
      `${left + index * STEP},${(HIGH - 2 - (value / most) * (HIGH - 4)).toFixed(1)}`,
  );
  return (
    <svg className={style.spark} viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={label}>
      <line x1="0" x2={WIDE} y1={HIGH - 1} y2={HIGH - 1} />
      {points.length > 1 && <polyline points={points.join(" ")} />}
    </svg>
  );
}
