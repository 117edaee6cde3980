// The session in one picture: a mark per request, lanes for the sessions before and after it.
import { memo, useMemo, useRef, useState, type PointerEvent } from "react";
import { go } from "../../app/router";
import type {
  Exchange,
  SessionLink,
  SessionWithVisits,
  VerdictWithEvidence,
} from "../../api/schema";
import { useWidth } from "../../table/useWidth";
import { linkName } from "../../words/link";
import { plural } from "../../words/number";
import { clock, length, micros, took } from "../../words/time";
import type { Linked } from "../data";
import { marks, nearest, path, type Mark } from "./marks";
import { scale, type Scale } from "./scale";
import style from "./Timeline.module.css";
import { VerdictMark } from "./VerdictMark";
import { VisitMarks } from "./VisitMarks";

interface Props {
  session: SessionWithVisits;
  requests: Exchange[];
  linked: Linked[];
  /** Requests that evidence names. */
  shows: Set<string>;
  verdict: VerdictWithEvidence | null;
  chosen: string | null;
  onChoose: (recordId: string) => void;
}

interface Lane {
  id: string;
  label: string;
  link: SessionLink | null;
  marks: Mark[];
  /** The lane's line. */
  y: number;
}

const LANE_PX = 62;
const MARK_PX_MAX = 40;
const LEFT_PX = 128;
const RIGHT_PX = 16;
const AXIS_PX = 24;
const OUTCOMES = ["ok", "none", "refused", "failed"] as const;

export const Timeline = memo(function Timeline(props: Props) {
  const { session, requests, linked, shows, verdict, chosen, onChoose } = props;
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [over, setOver] = useState<{ mark: Mark; lane: Lane } | null>(null);
  const left = width < 620 ? 12 : LEFT_PX;
  const { time, lanes } = useMemo(
    () => draw(session, requests, linked, left, width - RIGHT_PX),
    [session, requests, linked, left, width],
  );
  const high = lanes.length * LANE_PX + AXIS_PX;
  const own = lanes.find(({ link }) => link === null);
  const end = own?.marks.at(-1)?.request.start;
  const until = end === undefined ? 0 : micros(end) / 1000;
  const chosenMark = own?.marks.find(({ request }) => request.record_id === chosen);

  const find = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const lane = lanes[Math.floor((event.clientY - box.top) / LANE_PX)];
    const mark = lane && nearest(lane.marks, event.clientX - box.left);
    setOver(lane && mark ? { lane, mark } : null);
  };
  const pick = () => {
    if (!over) return;
    if (over.lane.link) go(`/sessions/${over.lane.id}`);
    else onChoose(over.mark.request.record_id);
  };
  return (
    <div className={style.place} ref={place}>
      <svg
        width={width}
        height={high}
        role="img"
        aria-label={described(session, linked)}
        onPointerMove={find}
        onPointerLeave={() => setOver(null)}
        onClick={pick}
      >
        {time.breaks.map((pause) => (
          <g key={pause.left} className={style.pause}>
            <rect
              x={pause.left + 4}
              y={0}
              width={pause.right - pause.left - 8}
              height={high - AXIS_PX}
            />
            <text x={(pause.left + pause.right) / 2} y={high - 8}>
              {length(pause.ms)}
            </text>
          </g>
        ))}
        {time.ticks.map((tick) => (
          <g key={tick.at} className={style.tick}>
            <line x1={tick.x} x2={tick.x} y1={0} y2={high - AXIS_PX} />
            <text x={tick.x} y={high - 8}>
              {clock(new Date(tick.at).toISOString(), isFine(time))}
            </text>
          </g>
        ))}
        {lanes.map((lane) => (
          <LaneMarks key={lane.id} lane={lane} left={left} right={width - RIGHT_PX} />
        ))}
        {own && session.visits > 1 && (
          <VisitMarks session={session} time={time} until={until} y={own.y} />
        )}
        {own && lanes.map((lane) => <Curve key={lane.id} own={own} lane={lane} />)}
        {own && verdict && (
          <VerdictMark verdict={verdict} time={time} y={own.y} right={width - RIGHT_PX} />
        )}
        {own && <path className={style.shows} d={underline(own, shows)} />}
        {chosenMark && own && (
          <path className={style.here} d={`M${chosenMark.x},${own.y + 3}l-4.5,7h9z`} />
        )}
        {over && (
          <circle
            className={style.over}
            cx={over.mark.x}
            cy={over.lane.y - over.mark.high}
            r={4.5}
          />
        )}
      </svg>
      {over && <Tip mark={over.mark} lane={over.lane} width={width} />}
    </div>
  );
});

function draw(
  session: SessionWithVisits,
  requests: Exchange[],
  linked: Linked[],
  left: number,
  right: number,
): { time: Scale; lanes: Lane[] } {
  const before = linked.filter(({ link }) => link.direction === "from");
  const after = linked.filter(({ link }) => link.direction !== "from");
  const own = { id: session.session, label: "this session", link: null, requests };
  const rows = [...before.map(named), own, ...after.map(named)];
  const times = rows
    .flatMap((row) => row.requests.map(({ start }) => micros(start) / 1000))
    .sort((one, other) => one - other);
  const time = scale(times, left + 4, right);
  const lanes = rows.map(({ requests: list, ...row }, index) => ({
    ...row,
    marks: marks(list, time.x, MARK_PX_MAX),
    y: (index + 1) * LANE_PX - 14,
  }));
  return { time, lanes };
}

const WORDS: Record<string, [string, string]> = {
  login: ["before login", "after login"],
  refresh: ["before renewal", "after renewal"],
  both: ["alongside", "alongside"],
  policy_change: ["before the policy changed", "after the policy changed"],
};

function named({ link, requests }: Linked) {
  const name = linkName(link.kind);
  const [before, after] = WORDS[link.kind] ?? [name, name];
  return { id: link.session, label: link.direction === "from" ? before : after, link, requests };
}

function described(session: SessionWithVisits, linked: Linked[]): string {
  const errors = session.errors_4xx + session.errors_5xx;
  const parts = [
    `Timeline: ${plural(session.requests, "request")} in ${length(session.duration_ms)}`,
    `${plural(errors, "error")}, ${plural(session.visits, "visit")}`,
    linked.length > 0 && plural(linked.length, "linked session"),
  ];
  return parts.filter(Boolean).join(", ");
}

/** A short line below each request that shows why. */
function underline(lane: Lane, shows: Set<string>): string {
  return lane.marks
    .filter(({ request }) => shows.has(request.record_id))
    .map(({ x }) => `M${x - 2},${lane.y + 3.5}h4`)
    .join("");
}

/** Whether ticks need milliseconds to differ. */
function isFine({ ticks }: Scale): boolean {
  const [first, second] = ticks;
  return first !== undefined && second !== undefined && second.at - first.at < 1000;
}

function LaneMarks({ lane, left, right }: { lane: Lane; left: number; right: number }) {
  return (
    <g className={lane.link ? style.other : undefined}>
      {left > 100 && (
        <>
          <text className={style.label} x={14} y={lane.y - 10}>
            {lane.label}
          </text>
          <text className={style.sub} x={14} y={lane.y + 5}>
            {lane.link ? lane.id.slice(0, 12) : plural(lane.marks.length, "request")}
          </text>
        </>
      )}
      <line className={style.line} x1={left} x2={right} y1={lane.y} y2={lane.y} />
      {OUTCOMES.map((outcome) => (
        <path key={outcome} className={style[outcome]} d={path(lane.marks, outcome, lane.y)} />
      ))}
    </g>
  );
}

/** From the last request in one lane to the one that showed where it goes on. */
function Curve({ own, lane }: { own: Lane; lane: Lane }) {
  if (!lane.link) return null;
  const [from, to] = lane.link.direction === "from" ? [lane, own] : [own, lane];
  const goesOn = to.marks.find(({ request }) =>
    request.links.some(({ session }) => session === from.id),
  );
  if (!goesOn) return null;
  const start = micros(goesOn.request.start);
  const last = from.marks.findLast(({ request }) => micros(request.start) <= start);
  const x = last?.x ?? goesOn.x;
  const [top, bottom] = [from.y + 3, to.y - goesOn.high - 6];
  const middle = (top + bottom) / 2;
  return (
    <g className={style.curve}>
      <path d={`M${x},${top}C${x},${middle} ${goesOn.x},${middle} ${goesOn.x},${bottom}`} />
      <path className={style.arrow} d={`M${goesOn.x - 3.5},${bottom - 3}l3.5,5l3.5,-5z`} />
    </g>
  );
}

function Tip({ mark, lane, width }: { mark: Mark; lane: Lane; width: number }) {
  const { request } = mark;
  const side = mark.x > width - 300 ? { right: width - mark.x + 8 } : { left: mark.x + 8 };
  return (
    <div className={style.tip} style={{ ...side, top: Math.max(0, lane.y - MARK_PX_MAX - 8) }}>
      <span className="mono">
        {request.method} {request.path}
      </span>
      <span className="soft">
        {clock(request.start, true)} · {request.status ?? "no answer"} · {took(request.duration_us)}
        {lane.link && " · click opens that session"}
      </span>
    </div>
  );
}
