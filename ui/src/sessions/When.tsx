// When it happened: sessions over time, those held for bots apart; drag to zoom.
import { setQuery } from "../app/router";
import { withoutTime } from "../filter/words";
import { Bars, Legend, sum, type Series } from "../parts/chart/Bars";
import { clock, roundLength } from "../words/time";
import { useHistogram } from "../api/facets";
import style from "./Sessions.module.css";

const SERIES: Series[] = [
  { name: "others", tone: "plain" },
  { name: "held for bots", tone: "bad" },
];

interface Props {
  q: string | undefined;
  words: string[];
}

export function When({ q, words }: Props) {
  const { data, error, isPlaceholderData, begin } = useHistogram(q);
  if (error) return null;
  const bars = (data?.buckets ?? []).map(({ start, sessions, bots }) => ({
    start,
    values: [sessions - bots, bots],
  }));
  const sums = SERIES.map((_, index) => sum(bars.map(({ values }) => values[index] ?? 0)));
  const zoom = (from: string, to: string) => {
    setQuery({
      q: [...withoutTime(words.join(" ")), `from:${from}`, `to:${to}`].join(" "),
      at: null,
    });
  };
  return (
    <section
      className={`panel ${style.whenPicture} ${isPlaceholderData ? (style.old ?? "") : ""}`}
      aria-label="When"
    >
      <p className={style.whenHead}>
        <Legend series={SERIES} />
        <span className="quiet">
          {data && sum(sums) > 0
            ? `active sessions per ${roundLength(data.width_s * 1000)} · drag to zoom`
            : ""}
          {begin !== null && ` · nothing before ${clock(begin)}`}
          {data && !data.extent.exact && ", estimated from a sample"}
        </span>
      </p>
      {data ? (
        <Bars
          label="Active sessions over time"
          series={SERIES}
          bars={bars}
          width_s={data.width_s}
          onZoom={zoom}
        />
      ) : (
        <div className={style.whenWait} />
      )}
    </section>
  );
}
