// When it happened: sessions over time, those held for bots apart; drag to zoom.
import { setQuery } from "../app/router";
import { Bars, Legend, sum, type Series } from "../parts/chart/Bars";
import { clock, length } from "../words/time";
import { useHistogram } from "./facetData";
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
  const whole = useHistogram(q);
  const begin = sparseBegin(whole.data?.buckets ?? []);
  // Where nearly all of the time is empty, the rest of it is drawn, and it is said.
  const part = useHistogram(
    begin === null ? q : [...withoutTime(words), `from:${begin}`].join(" "),
  );
  const { data, error, isPlaceholderData } = begin === null ? whole : part;
  if (error) return null;
  const bars = (data?.buckets ?? []).map(({ start, sessions, bots }) => ({
    start,
    values: [sessions - bots, bots],
  }));
  const sums = SERIES.map((_, index) => sum(bars.map(({ values }) => values[index] ?? 0)));
  const zoom = (from: string, to: string) => {
    setQuery({ q: [...withoutTime(words), `from:${from}`, `to:${to}`].join(" "), at: null });
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
            ? `active sessions per ${length(data.width_s * 1000)} · drag to zoom`
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

const withoutTime = (words: string[]) => words.filter((word) => !/^(last|from|to):/.test(word));

/** Of the time that is empty before it, as a share. */
const EMPTY = 0.75;

/** When it begins, where there is nothing before and that is most of the time; else null. */
function sparseBegin(buckets: { start: string; requests: number }[]): string | null {
  const first = buckets.findIndex(({ requests }) => requests > 0);
  return first > buckets.length * EMPTY ? (buckets[first]?.start ?? null) : null;
}
