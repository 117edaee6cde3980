// Counts over time as stacked bars; dragging over it, or the arrow keys, choose a stretch.
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useWidth } from "../../table/useWidth";
import { count } from "../../words/number";
import { clock, day } from "../../words/time";
import { niceMax, timeTicks } from "./axis";
import style from "./Chart.module.css";

export type Tone = "plain" | "ok" | "warn" | "bad" | "link";

export interface Series {
  name: string;
  tone: Tone;
}

export interface Bar {
  /** When it begins, RFC 3339. */
  start: string;
  /** One value per series, from the bottom up. */
  values: number[];
}

interface Props {
  /** What is counted, for those who do not see it. */
  label: string;
  series: Series[];
  bars: Bar[];
  width_s: number;
  height?: number;
  /** Called with the stretch that was chosen: from, and to (not in it). */
  onZoom?: ((from: string, to: string) => void) | undefined;
}

const AXIS_PX = 18;
const LEFT_PX = 44;

export function Bars({ label, series, bars, width_s, height = 96, onZoom }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [stretch, setStretch] = useState<[number, number] | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const plot = { left: LEFT_PX, right: width - 1, bottom: height - AXIS_PX };
  const wide = (plot.right - plot.left) / Math.max(1, bars.length);
  const most = niceMax(Math.max(...bars.map(({ values }) => sum(values)), 0));
  const starts = bars.map(({ start }) => Date.parse(start));
  const first = starts[0] ?? 0;
  const end = (starts.at(-1) ?? 0) + width_s * 1000;
  const indexAt = (event: PointerEvent) => {
    const x = event.clientX - (place.current?.getBoundingClientRect().left ?? 0) - plot.left;
    return Math.min(bars.length - 1, Math.max(0, Math.floor(x / wide)));
  };
  const zoom = (chosen: [number, number]) => {
    const [from, to] = ordered(chosen);
    setStretch(null);
    const time = (index: number) => new Date(starts[index] ?? end).toISOString();
    onZoom?.(time(from), time(to + 1));
  };
  const press = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const [from, to] = stretch ?? [bars.length, bars.length];
    if (move !== undefined) {
      const next = Math.min(bars.length - 1, Math.max(0, to + move));
      setStretch([event.shiftKey && stretch ? from : next, next]);
      setOver(next);
    } else if (event.key === "Enter" && stretch) zoom(stretch);
    else if (event.key === "Escape" && stretch) setStretch(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = over === null ? undefined : bars[over];
  const [from, to] = ordered(stretch ?? [0, -1]);
  return (
    <div
      ref={place}
      className={style.place}
      {...(onZoom && {
        tabIndex: 0,
        role: "slider",
        "aria-label": `${label}: arrow keys choose a stretch, with shift a longer one, enter zooms`,
        "aria-valuemin": 0,
        "aria-valuemax": Math.max(0, bars.length - 1),
        "aria-valuenow": over ?? 0,
        "aria-valuetext": shown ? described(shown, series) : "none",
        onKeyDown: press,
      })}
    >
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={label}
        className={onZoom && style.brush}
        onPointerMove={(event) => {
          const index = indexAt(event);
          setOver(index);
          if (stretch && event.buttons === 1) setStretch([stretch[0], index]);
        }}
        onPointerLeave={() => setOver(null)}
        onPointerDown={(event) => {
          if (!onZoom || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setStretch([indexAt(event), indexAt(event)]);
        }}
        onPointerUp={() => stretch && onZoom && zoom(stretch)}
      >
        <line className={style.base} x1={0} x2={width} y1={plot.bottom} y2={plot.bottom} />
        <line className={style.guide} x1={plot.left} x2={width} y1={6} y2={6} />
        <text className={style.value} x={plot.left - 8} y={10}>
          {count(most)}
        </text>
        {timeTicks(first, end, plot.left, plot.right)
          .filter(({ x }) => x < width - 16)
          .map(({ x, text }) => (
            <text key={x} className={style.tick} x={x} y={height - 4}>
              {text}
            </text>
          ))}
        {series.map(({ name, tone }, index) => (
          <path
            key={name}
            className={style[tone]}
            d={bars
              .map(({ values }, at) => {
                const below = sum(values.slice(0, index));
                const y = (value: number) => plot.bottom - (value / most) * (plot.bottom - 6);
                const high = y(below) - y(below + (values[index] ?? 0));
                if (high <= 0) return "";
                const gap = wide > 4 ? 1 : 0;
                const shownHigh = Math.max(1.5, high);
                return `M${plot.left + at * wide},${y(below)}h${wide - gap}v${-shownHigh}h${gap - wide}z`;
              })
              .join("")}
          />
        ))}
        {stretch && (
          <rect
            className={style.stretch}
            x={plot.left + from * wide}
            y={0}
            width={(to - from + 1) * wide}
            height={plot.bottom}
          />
        )}
        {over !== null && !stretch && (
          <rect
            className={style.over}
            x={plot.left + over * wide}
            y={0}
            width={wide}
            height={plot.bottom}
          />
        )}
      </svg>
      {shown && over !== null && (
        <div className={style.tip} style={tipPlace(plot.left + (over + 0.5) * wide, width)}>
          <span className="soft">{stretchText(bars, stretch ?? [over, over], end)}</span>
          {series.map(({ name, tone }, index) => (
            <span key={name}>
              <i className={style[tone]} /> {name} <b>{count(shown.values[index] ?? 0)}</b>
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

/** The series by name and colour, with their sums. */
export function Legend({ series, sums }: { series: Series[]; sums?: number[] }) {
  return (
    <span className={style.legend}>
      {series.map(({ name, tone }, index) => (
        <span key={name}>
          <i className={style[tone]} aria-hidden="true" /> {name}
          {sums && <b> {count(sums[index] ?? 0)}</b>}
        </span>
      ))}
    </span>
  );
}

export const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);

const ordered = ([one, other]: [number, number]): [number, number] =>
  one <= other ? [one, other] : [other, one];

const clockText = (time: string | undefined, end: number) => {
  const at = time ?? new Date(end).toISOString();
  return `${day(at)} ${clock(at)}`;
};

function stretchText(bars: Bar[], stretch: [number, number], end: number): string {
  const [from, to] = ordered(stretch);
  return `${clockText(bars[from]?.start, end)} – ${clock(bars[to + 1]?.start ?? new Date(end).toISOString())}`;
}

function described({ start, values }: Bar, series: Series[]): string {
  const parts = series.map(({ name }, index) => `${count(values[index] ?? 0)} ${name}`);
  return `${clock(start)}: ${parts.join(", ")}`;
}

export function tipPlace(x: number, width: number): React.CSSProperties {
  return x > width - 240 ? { right: width - x + 10 } : { left: x + 10 };
}
