// Figures over time as lines, with what stands below the pointer in words.
import { useRef, useState, type PointerEvent } from "react";
import { useWidth } from "../../table/useWidth";
import { clock, day } from "../../words/time";
import { niceMax, timeTicks } from "./axis";
import { tipPlace, type Series } from "./Bars";
import style from "./Chart.module.css";

export interface Point {
  /** When it begins, RFC 3339. */
  start: string;
  /** One value per series; null where nothing was measured. */
  values: (number | null)[];
}

interface Props {
  label: string;
  series: Series[];
  points: Point[];
  width_s: number;
  /** A value in words. */
  text: (value: number) => string;
  height?: number;
}

const AXIS_PX = 18;
const LEFT_PX = 60;

export function Lines({ label, series, points, width_s, text, height = 132 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [over, setOver] = useState<number | null>(null);
  const bottom = height - AXIS_PX;
  const wide = (width - LEFT_PX - 1) / Math.max(1, points.length);
  const most = niceMax(Math.max(...points.flatMap(({ values }) => values.map(Number)), 0));
  const x = (index: number) => LEFT_PX + (index + 0.5) * wide;
  const y = (value: number) => bottom - (value / most) * (bottom - 8);
  const first = Date.parse(points[0]?.start ?? "");
  const end = first + points.length * width_s * 1000;
  const find = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT_PX;
    setOver(Math.min(points.length - 1, Math.max(0, Math.floor(at / wide))));
  };
  const shown = over === null ? undefined : points[over];
  return (
    <div ref={place} className={style.place}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={label}
        onPointerMove={find}
        onPointerLeave={() => setOver(null)}
      >
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              className={share === 0 ? style.base : style.guide}
              x1={LEFT_PX}
              x2={width}
              y1={y(most * share)}
              y2={y(most * share)}
            />
            <text className={style.value} x={LEFT_PX - 8} y={y(most * share) + 4}>
              {share === 0 ? "0" : text(most * share)}
            </text>
          </g>
        ))}
        {timeTicks(first, end, LEFT_PX, width - 1)
          .filter((tick) => tick.x > LEFT_PX + 8 && tick.x < width - 16)
          .map((tick) => (
            <text key={tick.x} className={style.tick} x={tick.x} y={height - 4}>
              {tick.text}
            </text>
          ))}
        {over !== null && (
          <line className={style.cursor} x1={x(over)} x2={x(over)} y1={0} y2={bottom} />
        )}
        {series.map(({ name, tone }, index) => (
          <path
            key={name}
            className={`${style.line} ${style[tone] ?? ""}`}
            d={line(
              points.map(({ values }) => values[index] ?? null),
              x,
              y,
            )}
          />
        ))}
      </svg>
      {shown && over !== null && (
        <div className={style.tip} style={tipPlace(x(over), width)}>
          <span className="soft">
            {day(shown.start)} {clock(shown.start)}
          </span>
          {series.map(({ name, tone }, index) => {
            const value = shown.values[index];
            return (
              <span key={name}>
                <i className={style[tone]} /> {name} <b>{value == null ? "–" : text(value)}</b>
              </span>
            );
          })}
        </div>
      )}
    </div>
  );
}

/** Joined where values follow each other; one alone is a short dash. */
export function line(
  values: (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  return values
    .map((value, index) => {
      if (value === null) return "";
      const isJoined = values[index - 1] != null;
      const isAlone = !isJoined && values[index + 1] == null;
      const at = `${x(index).toFixed(1)},${y(value).toFixed(1)}`;
      return isAlone ? `M${at}m-2,0h4` : `${isJoined ? "L" : "M"}${at}`;
    })
    .join("");
}
