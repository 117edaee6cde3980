import type { Endpoint } from "../../api/schema";
import { setQuery, usePlace } from "../../app/router";
import { listState } from "../../filter/url";
import { withoutTime } from "../../filter/words";
import { Card } from "../../parts/Card";
import { Bars, Legend, type Series } from "../../parts/chart/Bars";
import { Lines } from "../../parts/chart/Lines";
import { Bones } from "../../parts/State";
import { ms } from "../columns";
import { useOverTime } from "./data";
import style from "./Endpoint.module.css";

const REQUESTS: Series[] = [
  { name: "answered", tone: "plain" },
  { name: "4xx", tone: "warn" },
  { name: "5xx", tone: "bad" },
];
const LATENCIES: Series[] = [
  { name: "p50", tone: "plain" },
  { name: "p95", tone: "warn" },
  { name: "p99", tone: "bad" },
];

/** How often it was asked for, how often wrong, and how slow, over time. */
export function OverTime({ of, q }: { of: Endpoint; q: string | undefined }) {
  const { query } = usePlace();
  const parts = useOverTime(of, q);
  const [first] = parts;
  if (!first) return <Bones rows={6} label="The figures over time are loading" />;
  const widthS = (Date.parse(first.end) - Date.parse(first.start)) / 1000;
  const { words } = listState(query);
  const zoom = (from: string, to: string) =>
    setQuery({ q: [...withoutTime(words.join(" ")), `from:${from}`, `to:${to}`].join(" ") });
  return (
    <div className={style.pair}>
      <Card title="Requests" note="drag to zoom" actions={<Legend series={REQUESTS} />}>
        <Bars
          label="Requests over time, by how they were answered"
          series={REQUESTS}
          bars={parts.map(({ start, figures }) => {
            const { requests = 0, errors_4xx: refused = 0, errors_5xx: failed = 0 } = figures ?? {};
            return { start, values: [requests - refused - failed, refused, failed] };
          })}
          width_s={widthS}
          height={140}
          onZoom={zoom}
        />
      </Card>
      <Card title="Latency" actions={<Legend series={LATENCIES} />}>
        <Lines
          label="Latency percentiles over time"
          series={LATENCIES}
          points={parts.map(({ start, figures }) => ({
            start,
            values: [figures?.p50_ms ?? null, figures?.p95_ms ?? null, figures?.p99_ms ?? null],
          }))}
          width_s={widthS}
          text={ms}
          height={140}
        />
      </Card>
    </div>
  );
}
